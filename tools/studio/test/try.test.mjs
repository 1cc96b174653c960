// Check 34: what an event would change is tried before it is sent.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { accessible, api, control, keys, session, studio } from './browser.mjs'

const buy = (user) => ({ user, event: 'purchase', properties: { cds: 1, amount: 5 } })
const inBucket = async (user, bucket) => (await (await api(`/buckets/${bucket}/members/${user}`)).json()).member

test('34 an event is tried, changes nothing, and comes to what was tried once it is sent', async () => {
  await control({ ingest: [buy('tried'), buy('tried')] })
  const b = await session(keys.ops, '/try')
  await accessible(b.page, 'try it')
  await b.page.getByLabel('User id', { exact: true }).fill('tried')
  await b.page.getByRole('link', { name: 'purchase', exact: true }).waitFor()
  await b.page.getByLabel('Event; empty to set traits only').fill('purchase')
  await b.page.getByRole('button', { name: 'Try', exact: true }).click()
  await b.page.locator('#transitions').getByText('Power buyers').waitFor()
  await accessible(b.page, 'what an event would change')
  const candidate = b.page.locator('#candidates li').filter({ hasText: 'Power buyers' })
  await candidate.getByText('now holds').waitFor()
  assert.match(b.page.url(), /event=purchase/) // the address says what was tried
  assert.equal(await inBucket('tried', 'power-buyers'), false)

  await b.page.getByLabel('amount').fill('a lot') // the event has declared fields
  await b.page.getByRole('button', { name: 'Try', exact: true }).click()
  await b.page.getByRole('alert').getByText('Amount is no number', { exact: false }).waitFor()
  await b.page.getByLabel('amount').fill('500')
  await b.page.getByRole('button', { name: 'Try', exact: true }).click()
  await b.page.locator('#transitions').getByText('Big spenders').waitFor()
  await b.page.locator('#next').getByText('Big spenders').waitFor() // leaves within 30 days
  const curl = await b.page.locator('#curl').textContent()
  assert.match(curl, /"amount":500/)
  assert.equal(await inBucket('tried', 'big-spenders'), false)

  await b.page.getByRole('button', { name: 'Send it' }).click()
  await b.page.getByRole('status').filter({ hasText: 'The event was sent.' }).waitFor()
  await b.page.locator('#now').getByText('Big spenders').waitFor()
  assert.equal(await inBucket('tried', 'power-buyers'), true)
  await b.close()

  const sent = JSON.parse(execFileSync('sh', ['-c', `${curl.replace('KEY', keys.ops).replace("/users/tried/", '/users/by%20curl/')} -s`], { encoding: 'utf8' }))
  assert.ok(sent.transitions.some((t) => t.bucketId === 'big-spenders'))
})

test('34.1 an unknown user and traits are tried, and bad JSON is refused', async () => {
  const b = await session(keys.ops, '/try?user=never+seen&traits=%7B%22plan%22%3A%22plus%22%7D&run=1')
  await b.page.getByText('The user never seen is unknown.', { exact: false }).waitFor()
  assert.equal((await api('/users/never seen')).status, 404)
  await b.page.goto(`${studio}/try?user=never+seen&traits=nonsense&run=1`)
  await b.page.getByRole('alert').getByText('Traits is no JSON object', { exact: false }).waitFor()
  await b.close()
})
