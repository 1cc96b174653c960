// Takes the pictures of README and docs: node screenshots.mjs FOLDER. The clock of the shop stands still.
import { join } from 'node:path'
import { api, session, studio } from './test/browser.mjs'

const [folder] = process.argv.slice(2)
const { members } = await (await api('/buckets/big-spenders/members?limit=200')).json()
let user = members[0].userId
let most = 0
for (const member of members) { // the member to whom the most happens next
  const forecast = await (await api(`/users/${encodeURIComponent(member.userId)}/forecast?ticks=true`)).json()
  const buckets = await (await api(`/users/${encodeURIComponent(member.userId)}/buckets`)).json()
  const score = buckets.buckets.length + forecast.transitions.length
  if (score > most) {
    most = score
    user = member.userId
  }
}
const pages = { overview: '/', bucket: '/buckets/loyal-readers', user: `/user?id=${encodeURIComponent(user)}&why=big-spenders` }
for (const colorScheme of ['light', 'dark']) {
  const b = await session(undefined, '/', { colorScheme, viewport: { width: 1280, height: 800 }, deviceScaleFactor: 2 })
  for (const [name, path] of Object.entries(pages)) {
    await b.page.goto(studio + path)
    await b.page.locator('#strip .chip').first().waitFor()
    await b.page.waitForFunction(() => document.querySelector('.later, .htmx-request, progress:not([value])') === null)
    if (name === 'bucket') {
      await b.page.locator('[data-remaining]').first().waitFor({ timeout: 120000 }) // of the funnel
    }
    await b.page.screenshot({ path: join(folder, `studio-${name}-${colorScheme}.png`) })
  }
  await b.close()
}
