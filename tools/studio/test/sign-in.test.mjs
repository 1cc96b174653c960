// Checks 1 to 8: signing in.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import test from 'node:test'
import { accessible, control, keys, launch, origin, session, studio } from './browser.mjs'

test('1 a bad key is refused and named', async () => {
  const b = await launch()
  await b.page.goto(`${studio}/sign-in`)
  await accessible(b.page, 'the sign-in')
  for (const key of ['bg_read_nonsense', keys.web]) {
    await b.page.getByLabel('API key').fill(key)
    await b.page.getByRole('button', { name: 'Sign in' }).click()
    await b.page.getByRole('alert').waitFor()
    assert.match(b.page.url(), /sign-in/)
  }
  assert.deepEqual(await b.context.cookies(), [])
  await b.close()
})

test('2 a good key leads to the page that was asked for', async () => {
  const b = await launch()
  await b.page.goto(`${studio}/buckets/lapsed?step=hour`)
  await b.page.getByLabel('API key').fill(keys.board)
  await b.page.getByRole('button', { name: 'Sign in' }).click()
  await b.page.getByRole('heading', { name: 'Lapsed customers' }).waitFor()
  assert.match(b.page.url(), /\/studio\/buckets\/lapsed\?step=hour$/)
  await b.close()
})

test('3 the cookie is for this page only, and not for scripts', async () => {
  const b = await session(keys.board)
  const [cookie, ...others] = await b.context.cookies()
  assert.deepEqual(others, [])
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/studio'])
  assert.equal(await b.page.evaluate(() => document.cookie), '')
  await b.close()
})

test('4 who signs out has to sign in again', async () => {
  const b = await session(keys.board)
  const before = await b.context.cookies()
  await b.page.getByText('board', { exact: true }).first().click()
  await b.page.getByRole('button', { name: 'Sign out' }).click()
  await b.page.getByLabel('API key').waitFor()
  await b.context.addCookies(before) // the session itself has ended, not only its cookie
  await b.page.goto(`${studio}/`)
  await b.page.getByLabel('API key').waitFor()
  await b.close()
})

test('5 a revoked key ends its sessions', async () => {
  const { key } = await control({ create: 'gone soon' })
  const b = await session(key)
  b.expect('401')
  await control({ revoke: 'gone soon' })
  await b.page.getByLabel('API key').waitFor({ timeout: 20000 }) // by a refresh of the page, not by a click
  await b.close()
})

test('6 a link on another site opens the page, signed in', async () => {
  const b = await session(keys.board)
  const other = createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html')
    answer.end(`<a href="${origin}/studio/buckets/lapsed">see</a>`)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => other.on('listening', resolve))
  await b.page.goto(`http://localhost:${other.address().port}/`) // localhost is another site than 127.0.0.1
  b.expect('favicon')
  await b.page.getByText('see').click()
  await b.page.getByRole('heading', { name: 'Lapsed customers' }).waitFor()
  other.closeAllConnections()
  other.close()
  await b.close()
})

test('7 a link that is good once signs in once', async () => {
  const { once } = await control({ once: true })
  const b = await launch()
  await b.page.goto(`${studio}/#once=${once}`)
  await b.page.getByRole('heading', { name: 'Buckets' }).waitFor()
  assert.ok(!b.page.url().includes(once))
  await b.context.clearCookies()
  await b.page.goto(`${studio}/sign-in#once=${once}`)
  await b.page.getByRole('alert').waitFor()
  await b.close()
})

test('8 a form of another site changes nothing', async () => {
  const b = await session(keys.ops)
  const cookie = (await b.context.cookies()).map((c) => `${c.name}=${c.value}`).join('; ')
  for (const path of ['/studio/buckets/lapsed/pause', '/studio/sign-in', '/studio/v1/buckets/lapsed/pause']) {
    const answer = await fetch(origin + path, { method: 'POST', headers: { Cookie: cookie, 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' } })
    assert.equal(answer.status, 403, path)
  }
  const page = await fetch(`${studio}/`, { headers: { Cookie: cookie } })
  assert.equal(page.status, 200)
  assert.match(page.headers.get('content-security-policy'), /frame-ancestors 'none'/)
  assert.match(page.headers.get('content-security-policy'), /script-src 'self';/)
  assert.equal(page.headers.get('cache-control'), 'no-store')
  await b.page.goto(`${studio}/buckets/lapsed`)
  await b.page.getByText('live', { exact: true }).first().waitFor()
  await b.close()
})
