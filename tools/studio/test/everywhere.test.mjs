// Checks 35 to 44: what holds on every page.
import assert from 'node:assert/strict'
import test from 'node:test'
import { accessible, api, control, eventually, keys, origin, session, studio } from './browser.mjs'

const customer = async () => (await (await api('/buckets/power-buyers/members?limit=1')).json()).members[0].userId

// pages are all pages that a reader sees.
const pages = async () => [
  '/', '/?q=nothing+is+called+this', '/buckets/loyal-readers', '/buckets/guests', '/buckets/power-buyers/members', '/buckets/power-buyers/transitions',
  '/buckets/lapsed/history', '/buckets/power-buyers/reactions', '/user', `/user?id=${await customer()}`, '/plan', '/deployments/1', '/live', '/outbox',
  '/events', '/health', '/audit', '/erasures', '/webhooks', '/buckets/power-buyers/dwell', '/buckets/power-buyers/overlap',
  '/buckets/power-buyers/overlap?with=lapsed,repeat-buyers', '/buckets/power-buyers/flows', '/backtest?bucket=power-buyers',
]

// adminPages are all pages that an admin sees.
const adminPages = async () => [...(await pages()), '/keys', '/try?user=ada&event=purchase&run=1', `/user/merge?id=${await customer()}&into=ada`]

test('35 a reader sees no action, and the server refuses them', async () => {
  const b = await session(keys.board)
  for (const path of await pages()) {
    await b.page.goto(studio + path)
    // A reader may begin and cancel what counts in the background: it changes nothing.
    assert.equal(await b.page.locator('main form[method=post]:not(.job form), main [data-opens]').count(), 0, path)
  }
  const cookie = (await b.context.cookies()).map((c) => `${c.name}=${c.value}`).join('; ')
  for (const path of ['/studio/buckets/lapsed/pause', '/studio/outbox/replay', '/studio/user/delete', '/studio/v1/buckets/lapsed/pause']) {
    const answer = await fetch(origin + path, { method: 'POST', headers: { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' } })
    assert.equal(answer.status, 403, path)
  }
  assert.equal((await (await api('/buckets/lapsed')).json()).paused ?? false, false)
  await b.close()
})

test('35.1 without a session there is nothing', async () => {
  for (const path of [...(await pages()), '/strip', '/find?q=a', '/v1/buckets', '/v1/stream']) {
    const answer = await fetch(studio + path, { redirect: 'manual' })
    assert.ok([303, 401].includes(answer.status), `${answer.status} ${path}`)
    assert.doesNotMatch(await answer.text(), /Lapsed customers|example\.com/)
    const cookie = await fetch(studio + path, { redirect: 'manual', headers: { Cookie: 'bucketgen=nonsense' } })
    assert.ok([303, 401].includes(cookie.status), `${cookie.status} ${path}`)
  }
})

test('37 axe finds nothing serious on any page', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const b = await session(keys.ops, '/', { colorScheme })
    for (const path of await adminPages()) {
      await b.page.goto(studio + path)
      await b.page.locator('#strip .chip').first().waitFor()
      await eventually(`${path} is complete`, async () => (await b.page.locator('main [aria-busy=true], main .job progress').count()) === 0, 120000)
      await accessible(b.page, `${path} in ${colorScheme}`)
    }
    await b.close()
  }
})

test('38 the keyboard reaches everything, and the focus is seen and not covered', async () => {
  const b = await session(keys.ops, '/buckets/loyal-readers')
  const seen = new Set()
  for (let i = 0; i < 60; i++) {
    await b.page.keyboard.press('Tab')
    const at = await b.page.evaluate(() => {
      const e = document.activeElement
      if (!e || e === document.body) {
        return null
      }
      const box = e.getBoundingClientRect()
      const style = getComputedStyle(e)
      const x = Math.min(innerWidth - 1, Math.max(0, box.x + box.width / 2))
      const y = Math.min(innerHeight - 1, Math.max(0, box.y + Math.min(box.height / 2, 20)))
      const top = document.elementFromPoint(x, y)
      return {
        name: e.outerHTML.slice(0, 120),
        outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        covered: !(top === e || e.contains(top) || top?.contains(e)),
      }
    })
    if (at === null) {
      break
    }
    seen.add(at.name)
    assert.ok(at.outlined, `no outline: ${at.name}`)
    assert.ok(!at.covered, `covered: ${at.name}`)
  }
  for (const part of ['Skip to', 'data-palette', 'data-pause', 'Members', 'type="date"', 'data-opens']) {
    assert.ok([...seen].some((name) => name.includes(part)), `${part} is not reached by Tab`)
  }
  await b.close()
})

test('39 at 320 px nothing scrolls sideways', async () => {
  const b = await session(keys.ops, '/', { viewport: { width: 320, height: 640 } })
  for (const path of await adminPages()) {
    await b.page.goto(studio + path)
    const wide = await b.page.evaluate(() => {
      const limit = document.documentElement.clientWidth
      return document.documentElement.scrollWidth <= limit
        ? []
        : [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > limit + 1 && !e.closest('.scroll, .side, pre')).map((e) => e.outerHTML.slice(0, 100)).slice(0, 3)
    })
    assert.deepEqual(wide, [], path)
  }
  await b.close()
})

test('40 dark and forced colours keep the contrast', async () => {
  const b = await session(keys.board, '/buckets/lapsed', { colorScheme: 'dark' })
  assert.equal(await b.page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(14, 20, 27)')
  await b.close()
  const forced = await session(keys.board, '/buckets/lapsed', { forcedColors: 'active' })
  assert.ok(await forced.page.evaluate(() => matchMedia('(forced-colors: active)').matches))
  const stroke = await forced.page.locator('svg polyline.size').evaluate((e) => getComputedStyle(e).stroke)
  assert.notEqual(stroke, 'none')
  await accessible(forced.page, 'forced colours')
  await forced.close()
})

test('41 with reduced motion nothing moves', async () => {
  const b = await session(keys.board, '/', { reducedMotion: 'reduce' })
  const moving = await b.page.evaluate(() => [...document.querySelectorAll('*')].filter((e) => {
    const style = getComputedStyle(e)
    return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0
  }).length)
  assert.equal(moving, 0)
  await b.close()
})

test('42 targets have 24 px or more', async () => {
  const b = await session(keys.ops)
  for (const path of ['/', '/buckets/loyal-readers', '/outbox', '/plan', '/live', '/webhooks', '/try?user=ada&event=purchase&run=1', '/keys']) {
    await b.page.goto(studio + path)
    const small = await b.page.evaluate(() => [...document.querySelectorAll('button, input:not([type=hidden]), select, summary, .button, .side a, .tabs a, .chip[href], thead a')]
      .filter((e) => e.offsetParent !== null)
      .map((e) => [e, e.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24))
      .map(([e, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${e.outerHTML.slice(0, 80)}`))
    assert.deepEqual(small, [], path)
  }
  await b.close()
})

test('43 while the database is down old data stay and say so, and the page recovers', async () => {
  const b = await session(keys.board)
  b.expect('503')
  await b.page.locator('#b-lapsed').waitFor()
  await control({ down: true })
  try {
    await b.page.locator('#buckets[data-stale]').waitFor()
    assert.ok(await b.page.locator('#b-lapsed').isVisible())
    await b.page.goto(`${studio}/buckets/lapsed`)
    await b.page.getByRole('alert').getByText('does not answer').first().waitFor()
    await b.page.getByRole('link', { name: 'Retry' }).first().waitFor()
    await b.page.goto(`${studio}/`).catch(() => {})
  } finally {
    await control({ down: false })
  }
  await b.page.goto(`${studio}/`)
  await b.page.locator('#b-lapsed').waitFor()
  await eventually('the page is fresh', async () => (await b.page.locator('[data-stale]').count()) === 0)
  await b.close()
})
