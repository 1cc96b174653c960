// The ten questions that people come with, each answered in the number of clicks that the page promises from the overview.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { api, control, eventually, keys, session } from './browser.mjs'

const read = async (path) => (await api(path)).json()
const number = (text) => Number(text.replaceAll(/[^0-9]/g, ''))
const comma = (n) => n.toLocaleString('en')

// asking opens the overview. Its click counts, and so does find, which opens the search of all pages; answered checks the count.
async function asking(key = keys.board) {
  const b = await session(key)
  await b.page.locator('#b-lapsed').waitFor()
  let clicks = 0
  return {
    ...b,
    async click(what) {
      clicks++
      await what.click()
    },
    async find(text, name) {
      clicks++
      await b.page.keyboard.press('Control+k')
      await b.page.keyboard.type(text)
      await b.page.locator('#palette').getByRole('option', { name }).first().waitFor()
      await b.page.keyboard.press('Enter')
    },
    async answered(most) {
      assert.ok(clicks <= most, `it took ${clicks} clicks, at most ${most} are promised`)
      await b.close()
    },
  }
}

// buyer makes a customer with purchases of now.
const buyer = (user, times) => control({ ingest: Array.from({ length: times }, () => ({ user, event: 'purchase', properties: { cds: 1, amount: 12 } })) })

test('question 1: how big is it, and does it grow?', async () => {
  const q = await asking()
  for (const bucket of (await read('/buckets?sort=size&order=desc')).buckets) {
    const row = q.page.locator(`#b-${bucket.id}`)
    assert.equal(number(await row.locator('td.size').textContent()), bucket.members, bucket.id)
    assert.equal(await row.locator('svg.spark polyline').count(), 1, bucket.id)
    assert.equal(number(await row.locator('td.in').textContent()), bucket.today.entered, bucket.id)
    assert.equal(number(await row.locator('td.out').textContent()), bucket.today.left, bucket.id)
  }
  await q.answered(0)
})

test('question 2: why the jump on a Tuesday?', async () => {
  const { points } = await read('/buckets/lapsed/sizes?from=1998-06-02T00:00:00Z&to=1998-06-30T12:00:00Z&step=day')
  const tuesdays = points.filter((p) => new Date(p.at).getUTCDay() === 2)
  const jump = tuesdays.reduce((best, p) => (p.entered > best.entered ? p : best))
  assert.ok(jump.entered > 0)
  const q = await asking()
  await q.click(q.page.locator('#b-lapsed a'))
  const bar = q.page.locator(`svg.growth a[data-day="${jump.at.slice(0, 10)}"]`)
  assert.match(await bar.locator('title').textContent(), new RegExp(`^Tue .* ${comma(jump.entered)} entered`))
  await q.click({ click: () => bar.locator('rect.hit').click({ force: true }) })
  await q.page.waitForURL(/transitions\?from=/)
  const rows = q.page.locator('tbody tr').filter({ hasText: 'entered' })
  await eventually('the joins of that day', async () => (await rows.count()) === Math.min(jump.entered, 50))
  for (const row of await rows.all()) {
    assert.match(await row.textContent(), /clock/) // customers lapse by the passing of time
  }
  await q.answered(2)
})

test('question 3: who is in it? Export them', async () => {
  const all = (await read('/buckets/power-buyers/members?limit=1000')).members.map((m) => m.userId).sort()
  const who = await asking()
  await who.click(who.page.locator('#b-power-buyers a'))
  await who.click(who.page.getByRole('link', { name: 'Members', exact: true }))
  await who.page.locator('tbody th a').first().waitFor()
  for (const user of await who.page.locator('tbody th').allTextContents()) {
    assert.ok(all.includes(user), user)
  }
  await who.answered(2)
  const file = await asking()
  await file.click(file.page.locator('#b-power-buyers a'))
  const csv = file.page.locator('.heading').getByRole('link', { name: 'CSV' })
  const [download] = await Promise.all([file.page.waitForEvent('download'), file.click(csv)])
  const lines = readFileSync(await download.path(), 'utf8').trim().split(/\r?\n/).slice(1)
  assert.deepEqual(lines.map((line) => line.split(',')[0].replaceAll('"', '')).sort(), all)
  await file.answered(2)
})

test('question 4: is all well?', async () => {
  const q = await asking()
  const strip = q.page.getByRole('group', { name: 'Status' })
  await strip.getByText('clock').waitFor()
  await strip.getByText('outbox').waitFor()
  const summary = await read('/summary')
  assert.equal(await strip.getByText('dead').count(), summary.dead > 0 ? 1 : 0)
  assert.equal(await strip.getByText('all well').count() + (await strip.getByText('finding').count()), 1)
  await q.answered(0)
})

test('question 5: what is stuck? Replay it', async () => {
  await control({ broken: true })
  await buyer('stuck', 3)
  await eventually('the letter is dead', async () => (await read('/outbox/dead')).deadLetters.some((l) => l.transition.userId === 'stuck'))
  await control({ broken: false })
  const q = await asking(keys.ops)
  await q.click(q.page.getByRole('group', { name: 'Status' }).getByText('dead'))
  await q.page.locator('#dead').getByText('the mail server does not answer').first().waitFor()
  await q.click(q.page.getByRole('button', { name: 'Replay all' }))
  await q.page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click() // the confirmation
  await q.page.getByRole('status').filter({ hasText: 'delivered again' }).waitFor()
  await eventually('no letter is dead', async () => (await read('/outbox/dead')).deadLetters.length === 0)
  await q.answered(2)
})

// Question 6, what would my build do, is check 30 in versions.test.mjs: it deploys.

test('question 7: why is Ada (not) in it?', async () => {
  await buyer('q7', 2)
  const q = await asking()
  await q.find('q7', /q7/)
  await q.page.waitForURL(/user\?id=q7/)
  await q.click({ click: () => q.page.locator('#explain').getByLabel('Bucket', { exact: true }).selectOption('power-buyers') })
  await q.page.locator('.verdict').getByText('Not in Power buyers').waitFor()
  const got = await read('/buckets/power-buyers/members/q7/explain')
  await q.page.locator('#explain').getByText(got.criteria.words).waitFor()
  await q.page.locator('#explain').getByText(got.criteria.evidence.text).waitFor()
  await q.answered(2)
})

test('question 8: what happens to her next?', async () => {
  await control({ ingest: [{ user: 'q8', event: 'signed_up' }] })
  const q = await asking()
  await q.find('q8', /q8/)
  await q.page.waitForURL(/user\?id=q8/)
  const next = (await read('/users/q8/forecast')).transitions[0]
  await q.page.locator('#forecast').getByText(next.bucketName).first().waitFor()
  assert.equal(await q.page.locator('#forecast [data-stop]:visible time').getAttribute('datetime'), next.at.replace(/\.0+Z$/, 'Z'))
  await q.answered(1)
})

test('question 9: which condition keeps people out?', async () => {
  const q = await asking()
  await q.click(q.page.locator('#b-loyal-readers a'))
  await q.page.locator('.funnel [data-remaining]').first().waitFor({ timeout: 30000 })
  const alone = q.page.locator('.funnel').getByText(/keeps out [\d,]+ alone/)
  assert.ok((await alone.count()) > 0)
  const remaining = await q.page.locator('[data-remaining]').evaluateAll((all) => all.map((e) => Number(e.dataset.remaining)))
  assert.equal(remaining.at(-1), (await read('/buckets/loyal-readers')).members)
  await q.answered(1)
})

test('question 10: how do two versions of a bucket differ?', async () => {
  const q = await asking()
  await q.click(q.page.locator('#b-loyal-readers a'))
  await q.click(q.page.getByRole('link', { name: 'History' }))
  const latest = q.page.locator('ol.log > li').first()
  await latest.getByText('deployed', { exact: true }).waitFor()
  const { definitions } = await read('/definitions?bucket=loyal-readers')
  const [was, is] = [definitions.find((d) => d.until), definitions.find((d) => !d.until)]
  const bare = (lines) => lines.map((line) => line.trim()).sort()
  const marks = async (tag) => bare((await latest.locator(tag).allTextContents()).map((text) => text.slice(2)))
  assert.deepEqual(await marks('ins'), bare(is.words.filter((w) => !was.words.includes(w))))
  assert.deepEqual(await marks('del'), bare(was.words.filter((w) => !is.words.includes(w))))
  assert.ok((await marks('ins')).length > 0)
  await q.answered(2)
})
