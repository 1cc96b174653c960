// Check 32: webhook endpoints.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import test from 'node:test'
import { accessible, api, keys, session, studio } from './browser.mjs'

// receiver starts a server that takes webhooks, and keeps what they were.
async function receiver() {
  const got = []
  const server = createServer((request, response) => {
    const body = []
    request.on('data', (part) => body.push(part))
    request.on('end', () => {
      got.push({ headers: request.headers, body: JSON.parse(Buffer.concat(body).toString()) })
      response.end('taken')
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { got, url: `http://127.0.0.1:${server.address().port}/hooks`, close: () => server.close() }
}

const listed = async (name) => (await (await api('/webhooks')).json()).webhooks.find((e) => e.name === name)

test('32 the secret of a webhook endpoint is shown once, and one can be tested, changed, disabled and deleted', async () => {
  const hooks = await receiver()
  const b = await session(keys.ops, '/webhooks')
  await b.page.getByText('There is no webhook endpoint.').waitFor()
  await accessible(b.page, 'no endpoints')
  await b.page.getByRole('button', { name: 'Create an endpoint' }).click()
  const dialog = b.page.getByRole('dialog')
  await accessible(b.page, 'the dialog of a new endpoint')
  await dialog.getByLabel('Name').fill('crm')
  await dialog.getByLabel('URL').fill(hooks.url)
  await dialog.getByLabel('Bucket ids').fill('power-buyers\nlapsed')
  await dialog.getByLabel('dwell').uncheck()
  await dialog.getByRole('button', { name: 'Create' }).click()
  const secret = await b.page.locator('#secret').textContent()
  assert.match(secret, /^whsec_/)
  await accessible(b.page, 'a new endpoint')
  const made = await listed('crm')
  assert.deepEqual([made.buckets, made.kinds], [['lapsed', 'power-buyers'], ['entered', 'left']])

  await b.page.goto(`${studio}/webhooks`)
  await b.page.getByRole('link', { name: 'crm' }).click()
  await b.page.getByRole('heading', { name: 'crm' }).waitFor()
  assert.equal(await b.page.locator('#secret').count(), 0)
  assert.ok(!(await b.page.content()).includes(secret))

  await b.page.getByRole('button', { name: 'Test' }).click()
  await b.page.getByRole('status').getByText('answered 200 OK').waitFor()
  await b.page.getByRole('status').getByText('taken').waitFor()
  assert.equal(hooks.got.length, 1)
  assert.equal(hooks.got[0].body.type, 'bucket.test')
  assert.ok(hooks.got[0].headers['webhook-signature'])

  await b.page.getByRole('button', { name: 'Replace the secret' }).click()
  await b.page.getByRole('dialog').getByLabel('Grace').selectOption('an hour')
  await b.page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click()
  const renewed = await b.page.locator('#secret').textContent()
  assert.match(renewed, /^whsec_/)
  assert.notEqual(renewed, secret)
  await b.page.goto(`${studio}/webhooks/${made.no}`)
  await b.page.getByRole('button', { name: 'Test' }).click()
  await b.page.getByRole('status').getByText('answered 200 OK').waitFor()
  assert.equal(hooks.got[1].headers['webhook-signature'].split(' ').length, 2) // by both secrets

  await b.page.getByRole('button', { name: 'Change' }).click()
  await b.page.getByRole('dialog').getByLabel('URL').fill(hooks.url + '/new')
  await b.page.getByRole('dialog').getByLabel('left').uncheck()
  await b.page.getByRole('dialog').getByLabel('Transitions in one webhook').fill('10')
  await b.page.getByRole('dialog').getByRole('button', { name: 'Change' }).click()
  await b.page.getByRole('status').filter({ hasText: 'changed' }).waitFor()
  const changed = await listed('crm')
  assert.deepEqual([changed.url, changed.kinds, changed.batch], [hooks.url + '/new', ['entered'], 10])

  await b.page.getByRole('button', { name: 'Disable' }).click()
  await b.page.getByRole('dialog').getByLabel('Reason').fill('the receiver moves')
  await b.page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
  await b.page.getByText('the receiver moves').waitFor()
  assert.ok((await listed('crm')).disabledAt)
  await b.page.getByRole('button', { name: 'Enable' }).click()
  await b.page.getByRole('dialog').getByRole('button', { name: 'Enable' }).click()
  await b.page.locator('.heading .state').getByText('enabled').waitFor()
  assert.equal((await listed('crm')).disabledAt, undefined)

  await b.page.getByRole('button', { name: 'Delete' }).click()
  const sure = b.page.getByRole('dialog')
  assert.ok(await sure.getByRole('button', { name: 'Delete' }).isDisabled())
  await sure.getByLabel('Type').fill('crm')
  await sure.getByRole('button', { name: 'Delete' }).click()
  await b.page.getByText('There is no webhook endpoint.').waitFor()
  assert.equal(await listed('crm'), undefined)
  hooks.close()
  await b.close()
})

test('32.1 what an endpoint answers instead of taking a webhook is shown', async () => {
  const made = await (await api('/webhooks', keys.ops, { method: 'POST', body: JSON.stringify({ name: 'nothing listens', url: 'http://127.0.0.1:1/' }) })).json()
  const b = await session(keys.ops, `/webhooks/${made.no}`)
  await b.page.getByRole('button', { name: 'Test' }).click()
  await b.page.getByRole('status').getByText('no answer').waitFor()
  await b.page.getByRole('status').getByText('refused').waitFor()
  await accessible(b.page, 'an endpoint that does not answer')
  await b.close()
  await api(`/webhooks/${made.no}`, keys.ops, { method: 'DELETE' })
})
