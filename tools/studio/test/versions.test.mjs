// Checks 28, 30 and 44, in a Studio behind a proxy whose definitions are not deployed yet. They deploy, so they come last.
import assert from 'node:assert/strict'
import test from 'node:test'
import { accessible, api, control, eventually, keys, launch } from './browser.mjs'

const next = process.env.NEXT

async function nextStudio(path = '/') {
  const b = await launch()
  await b.page.goto(`${next}${path}`)
  await b.page.getByLabel('API key').fill(keys.ops)
  await b.page.getByRole('button', { name: 'Sign in' }).click()
  await b.page.waitForURL((url) => !url.pathname.endsWith('/sign-in'))
  return b
}

const number = (text) => Number(text.replaceAll(/[^0-9]/g, ''))

// printed reads what bucketd plan prints: the buckets that change, with their lines and numbers.
function printed(plan) {
  const all = []
  for (const line of plan.split('\n')) {
    const head = line.match(/^[+~-] (\S+), (new|changed|removed)/)
    const words = line.match(/^ {4}([+-]) (.*)$/)
    const users = line.match(/^ {4}([\d,]+) users? would (join|leave)/)
    if (head) {
      all.push({ id: head[1], status: head[2], ins: [], del: [], join: 0, leave: 0 })
    } else if (words) {
      all.at(-1)[words[1] === '+' ? 'ins' : 'del'].push(words[2].trim())
    } else if (users) {
      all.at(-1)[users[2]] = number(users[1])
    }
  }
  return all
}

test('28.1 the plan is that of bucketd plan', async () => {
  const b = await nextStudio('/plan')
  const boxes = b.page.locator('.plans > details[open]')
  await boxes.first().waitFor()
  const { plan } = await control({ plan: true })
  const all = printed(plan)
  assert.deepEqual(all.map((x) => `${x.id} ${x.status}`).sort(), ['newcomers removed', 'power-buyers changed', 'windfall new'], plan)
  assert.equal(await boxes.count(), all.length)
  for (const want of all) {
    const box = boxes.filter({ has: b.page.locator('summary .small', { hasText: new RegExp(`^${want.id}$`) }) })
    const lines = async (tag) => (await box.locator(tag).allTextContents()).map((text) => text.slice(2).trim()).sort()
    assert.equal(await box.locator('summary').getByText(want.status, { exact: true }).count(), 1, want.id)
    assert.equal(number(await box.locator('summary .entered').textContent()), want.join, `${want.id} joins`)
    assert.equal(number(await box.locator('summary .left').textContent()), want.leave, `${want.id} leaves`)
    if (want.status !== 'removed') {
      assert.deepEqual(await lines('ins'), want.ins.toSorted(), want.id)
      assert.deepEqual(await lines('del'), want.del.toSorted(), want.id)
    }
  }
  assert.ok(all.find((x) => x.id === 'power-buyers').leave > 0)
  await b.close()
})

test('44 below a prefix and behind a proxy all requests stay below the prefix', async () => {
  const b = await nextStudio()
  const prefix = new URL(next).pathname
  const [cookie] = await b.context.cookies()
  assert.equal(cookie.path, prefix)
  const paths = []
  b.page.on('request', (request) => paths.push(new URL(request.url()).pathname))
  await b.page.locator('#b-lapsed a').click()
  await b.page.getByRole('link', { name: 'Members', exact: true }).click()
  await b.page.locator('tbody th a').first().click()
  await b.page.locator('#now').waitFor()
  await b.page.keyboard.press('Control+k')
  await b.page.keyboard.type('lapsed')
  await b.page.locator('#palette').getByRole('option', { name: /Lapsed/ }).waitFor()
  await b.page.keyboard.press('Enter')
  await b.page.waitForURL(/buckets\/lapsed/)
  await b.page.getByRole('link', { name: 'Live' }).click()
  await b.page.getByText('connected', { exact: true }).waitFor() // the stream passes the proxy
  await b.page.getByText('ops', { exact: true }).first().click()
  await b.page.getByRole('button', { name: 'Sign out' }).click()
  await b.page.getByLabel('API key').waitFor()
  assert.deepEqual(paths.filter((path) => !path.startsWith(`${prefix}/`)), [])
  assert.deepEqual(await b.context.cookies(), [])
  await b.close()
})

// deployNext deploys the next definitions from the plan, announcing nothing.
async function deployNext(b) {
  await b.page.getByRole('button', { name: 'Deploy' }).click()
  const dialog = b.page.getByRole('dialog')
  const confirm = dialog.getByRole('button', { name: 'Deploy' })
  assert.equal(await confirm.isDisabled(), true)
  await dialog.getByLabel('Announce').selectOption('silent')
  await dialog.getByLabel(/^Type/).fill(await dialog.locator('label strong').textContent())
  await confirm.click()
  await b.page.waitForURL(/\/deployments\/\d+/)
}

test('29.1 a deployment is refused if a process with other definitions answers', async () => {
  const b = await nextStudio('/plan')
  b.expect('409')
  const { deployments } = await (await api('/deployments?limit=1')).json()
  await b.page.getByRole('button', { name: 'Deploy' }).click()
  const dialog = b.page.getByRole('dialog')
  await dialog.getByLabel(/^Type/).fill(await dialog.locator('label strong').textContent())
  await control({ stale: true }) // behind the balancer
  try {
    const answer = b.page.waitForResponse((response) => response.url().endsWith('/plan/deploy'))
    await dialog.getByRole('button', { name: 'Deploy' }).click()
    assert.equal((await answer).status(), 409)
    await b.page.getByRole('alert').waitFor()
    await accessible(b.page, 'a deployment that is refused')
  } finally {
    await control({ stale: false })
  }
  assert.deepEqual((await (await api('/deployments?limit=1')).json()).deployments, deployments)
  await b.close()
})

test('30 a deployment shows its progress while it runs, until it ends', async () => {
  const b = await nextStudio() // question 6: what would my build do? Deploy it.
  await b.page.getByRole('link', { name: 'Plan' }).click() // the first click
  await b.page.locator('.plans').getByText('Windfall').first().waitFor()
  try {
    await deployNext(b) // the second, and the third
    const box = b.page.locator('#deployment')
    const share = async () => Number(await box.locator('progress').getAttribute('value'))
    assert.equal(await share(), 0)
    await control({ hold: true }) // after some users
    await eventually('a part of the users follow', async () => (await share()) > 0) // by a refresh of the page
    assert.ok((await share()) < 100)
    await box.getByText(/following/).first().waitFor()
    await accessible(b.page, 'a deployment that runs')
    await control({ follow: true })
    await box.getByText('done').first().waitFor()
    assert.equal(await share(), 100)
    const no = Number(b.page.url().match(/deployments\/(\d+)/)[1])
    const d = (await (await api('/deployments?limit=10')).json()).deployments.find((one) => one.no === no)
    assert.ok(d.finishedAt && d.joined > 0 && d.left > 0)
    await box.getByText(`+${d.joined.toLocaleString('en')} joined`).waitFor()
    await box.getByText(`−${d.left.toLocaleString('en')} left`).waitFor()
    await eventually('the page is at rest', async () => (await box.getAttribute('data-refresh')) === null)
  } finally {
    await control({ deploy: true })
  }
  await b.close()
})

test('30.3 a bucket that is not defined any more is retired', async () => {
  await control({ ingest: [{ user: 'newcomer', event: 'signed_up' }] })
  const b = await nextStudio('/plan')
  try {
    await deployNext(b)
    await control({ follow: true })
    await b.page.goto(`${next}/?state=gone`)
    await b.page.getByRole('link', { name: /Newcomers/ }).click()
    await b.page.getByText('The deployed definitions do not have this bucket.', { exact: false }).waitFor()
    await accessible(b.page, 'a bucket that is gone')
    const members = number(await b.page.locator('.stats .big').textContent())
    assert.ok(members > 0)
    await b.page.getByRole('button', { name: 'Retire' }).click()
    const dialog = b.page.getByRole('dialog')
    await dialog.getByText(`${members.toLocaleString('en')} member`, { exact: false }).waitFor()
    await dialog.getByLabel(/^Type/).fill('newcomers')
    await dialog.getByRole('button', { name: 'Retire' }).click()
    await b.page.locator('#result').getByText(`${members.toLocaleString('en')} user${members === 1 ? '' : 's'} left newcomers.`).waitFor()
    await accessible(b.page, 'a retirement')
    await b.page.goto(`${next}/?state=gone`)
    await b.page.getByText('No bucket matches the filter.').waitFor()
    assert.deepEqual((await (await api('/users/newcomer/buckets')).json()).buckets, [])
  } finally {
    await control({ deploy: true })
  }
  await b.close()
})
