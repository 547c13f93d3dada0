import { createPrivateKey } from 'node:crypto'
import { SignJWT } from 'jose'
import { Secret } from '../../core/secret.ts'
import { type ClientKey, headerOf } from './signed-assertion.ts'

/** A JWT of these claims alone, signed by a client's key. */
export async function signJwt(key: ClientKey, claims: Readonly<Record<string, unknown>>): Promise<Secret> {
  const jwt = new SignJWT({ ...claims }).setProtectedHeader(headerOf(key))
  return new Secret(await jwt.sign(createPrivateKey(key.privateKey.reveal())))
}
