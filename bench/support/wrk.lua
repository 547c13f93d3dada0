-- What wrk sends: fetches of tokens of random grants, with the API keys of all callers in turn. The plan is a table in
-- the file that WRK_PLAN names: keys, connections, subjects of each (0: the application's own grants), crowd (subjects of
-- the first), ports (a thread each), seed, and check, which looks at every answer and costs as much as sending.
local plan = dofile(os.getenv('WRK_PLAN'))
local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread.addr = wrk.lookup('127.0.0.1', tostring(plan.ports[#threads]))[1]
  thread:set('seed', plan.seed + #threads)
end

local ends, sent = {}, 0
unexpected, example = 0, ''

function init()
  math.randomseed(seed)
  for n, key in ipairs(plan.keys) do
    ends[n] = ' HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ' .. key .. '\r\n\r\n'
  end
  if plan.check then response = check end
end

function request()
  sent = sent + 1
  return 'GET /v1/connections/connection-' .. grant() .. ends[sent % #ends + 1]
end

function grant()
  if plan.subjects == 0 then return math.random(plan.connections) .. '/token' end
  local others = (plan.connections - 1) * plan.subjects
  local n = math.random(plan.crowd + others) - plan.crowd
  if n <= 0 then return '1/token?subject=user-' .. n + plan.crowd end
  return 1 + math.ceil(n / plan.subjects) .. '/token?subject=user-' .. n % plan.subjects + 1
end

function check(status, headers, body)
  if status == 200 and body:find('"access_token":"[%w_-]+"') then return end
  unexpected = unexpected + 1
  example = status .. ' ' .. body
end

-- Processor time of this process, in ticks: fields 14 and 15, of which the second, a name, may hold anything.
local function ticks()
  local fields, file = {}, io.open('/proc/self/stat')
  for field in file:read('*a'):match('.*%) (.*)'):gmatch('%S+') do table.insert(fields, field) end
  return fields[12] + fields[13]
end

function done(summary, latency)
  local errors, refused, examples = summary.errors, 0, ''
  for _, thread in ipairs(threads) do
    refused = refused + thread:get('unexpected')
    if thread:get('example') ~= '' then examples = thread:get('example') end
  end
  print(string.format(
    '\n{"requests":%d,"bytes":%d,"us":%d,"p50":%d,"p99":%d,"max":%d,"status":%d,"unexpected":%d,"broken":%d,"ticks":%d}',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, refused, errors.connect + errors.read + errors.write + errors.timeout, ticks()
  ))
  if examples ~= '' then io.stderr:write(examples:sub(1, 500), '\n') end
end
