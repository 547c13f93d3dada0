import { checks } from './lib/checks.ts'
import { runSteps } from './lib/steps.ts'

if (!(await runSteps(checks))) process.exitCode = 1
