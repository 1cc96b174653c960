// Check 36: people who may see single users, with personal data masked.
import assert from 'node:assert/strict'
import test from 'node:test'
import { api, eventually, keys, launch, signIn, studio } from './browser.mjs'

test('36 no answer has an e-mail address for a masked person', async () => {
  const { members } = await (await api('/buckets/loyal-readers/members?limit=3')).json()
  const mail = members.find((m) => m.userEmail)
  assert.match(mail.userEmail, /@example\.com$/) // others see it
  const b = await launch()
  b.expect('403', '404')
  const reading = []
  const found = []
  b.page.on('response', (answer) => reading.push(answer.text().then((text) => {
    if (text.includes('@example.com')) {
      found.push(answer.url())
    }
  }, () => {}))) // a redirect has no body
  await signIn(b.page, keys.support)
  const user = encodeURIComponent(mail.userId)
  await b.page.getByRole('heading', { name: 'Find a user or a bucket' }).waitFor()
  for (const title of ['Live', 'Outbox', 'Keys', 'Webhooks', 'Audit', 'Erasures', 'Try it']) {
    assert.equal(await b.page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: title }).count(), 0, title)
  }
  for (const path of [
    `/user?id=${user}`, `/user?id=${user}&why=loyal-readers`, `/user?id=${user}&part=traits`, `/user?id=${user}&part=ids`, `/user?id=${user}&part=activity`, '/buckets/loyal-readers',
    '/buckets/loyal-readers/members', '/buckets/loyal-readers/transitions', '/buckets/loyal-readers/history', '/buckets/loyal-readers/reactions',
    '/plan', '/outbox', '/live', '/events', '/health', '/audit', '/erasures', '/webhooks', '/webhooks/1',
    '/', '/user', '/keys', '/try', `/user/merge?id=${user}&into=ada`, '/backtest', '/deployments/1', '/jobs/1/users?list=members', '/buckets/loyal-readers/dwell',
    '/buckets/loyal-readers/overlap', '/buckets/loyal-readers/flows', '/buckets/loyal-readers/retire?job=1', '/strip', `/user?id=${user}&part=now`, `/user?id=${user}&part=explain`,
  ]) {
    await b.page.goto(studio + path)
    assert.equal(await b.page.locator('main form[method=post], main [data-opens]').count(), 0, path)
  }
  for (const path of [`/find?q=${user}`, `/v1/users/${user}`, `/v1/users/${user}/buckets`, `/v1/users/${user}/timeline`, `/v1/users?q=${user}`, '/v1/buckets/loyal-readers/members', '/v1/buckets/loyal-readers/members.csv', '/v1/outbox/dead', '/v1/events', '/v1/webhooks', '/v1/webhooks/1/attempts', '/v1/jobs/1/users?list=members', '/v1/live', '/v1/audit', `/v1/users/${user}/explain`, '/v1/stream']) {
    const status = await b.page.evaluate(async (url) => {
      const answer = await fetch(url)
      if (!answer.headers.get('content-type')?.includes('event-stream')) {
        await answer.text()
      }
      return answer.status
    }, `/studio${path}`)
    if (/v1.*(members|q=|dead|stream)/.test(path)) {
      assert.equal(status, 403, path)
    }
  }
  await eventually('all answers are read', async () => {
    const n = reading.length
    await Promise.all(reading)
    return n === reading.length
  })
  assert.ok(reading.length > 20)
  assert.deepEqual(found, [])
  await b.close()
})
