// What all browser tests share: Chromium, pages that report what they must not do, and the world behind them.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterEach } from 'node:test'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

export const origin = process.env.STUDIO
export const keys = JSON.parse(process.env.KEYS)
export const studio = `${origin}/studio`
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export const flags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

// control does something to the world: moves its clock, ingests events, breaks things.
export async function control(command) {
  const answer = await fetch(`${origin}/control/`, { method: 'POST', body: JSON.stringify(command) })
  assert.equal(answer.status, 200, await answer.clone().text())
  return answer.json()
}

// api calls the management API with a key.
export async function api(path, key = keys.ops, init = {}) {
  return fetch(`${origin}/v1${path}`, { ...init, headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...init.headers } })
}

// open are the browsers that no test has closed: those of a test that failed.
const open = new Set()
afterEach(async () => {
  for (const context of open) {
    open.delete(context)
    await context.close()
  }
})

// launch starts a browser with an empty profile. Every page of it is watched; close checks what was seen.
export async function launch(options = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'bucketgen-studio-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: flags, viewport: { width: 1280, height: 800 },
    timezoneId: 'Europe/Berlin', locale: 'en-GB', ...options,
  })
  open.add(context)
  const wrong = []
  const expected = []
  context.setDefaultTimeout(15000)
  const watch = (page) => {
    page.on('console', (message) => {
      if (message.type() === 'error') {
        wrong.push(`console: ${message.text()} at ${page.url()}`)
      }
    })
    page.on('pageerror', (error) => wrong.push(`script: ${error.message} at ${page.url()}`))
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (!['127.0.0.1', 'localhost', '[::1]', ''].includes(url.hostname) && !['data:', 'blob:', 'about:'].includes(url.protocol)) {
        wrong.push(`request off this machine: ${request.url()}`)
      }
    })
    page.on('response', (response) => {
      if (response.status() >= 500) {
        wrong.push(`${response.status()} ${response.url()}`)
      }
    })
  }
  context.pages().forEach(watch)
  context.on('page', watch)
  return {
    context,
    page: context.pages()[0] ?? (await context.newPage()),
    // expect names texts that may be among what is wrong, because the test brings them about.
    expect: (...texts) => expected.push(...texts),
    wrong: () => wrong.filter((text) => !expected.some((part) => text.includes(part))),
    async close() {
      open.delete(context)
      await context.close()
      rmSync(profile, { recursive: true, force: true })
      assert.deepEqual(this.wrong(), [])
    },
  }
}

// signIn signs a browser in with a key, and opens a page.
export async function signIn(page, key = keys.ops, path = '/') {
  await page.goto(`${studio}/sign-in?next=${encodeURIComponent('/studio' + path)}`)
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => !url.pathname.endsWith('/sign-in'))
}

// session starts a browser that is signed in.
export async function session(key = keys.ops, path = '/', options = {}) {
  const browser = await launch(options)
  await signIn(browser.page, key, path)
  return browser
}

// eventually waits until something holds.
export async function eventually(what, holds, patience = 15000) {
  const deadline = Date.now() + patience
  for (;;) {
    const got = await holds()
    if (got) {
      return got
    }
    assert.ok(Date.now() < deadline, `it did not come about: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

// accessible fails if axe finds something serious on a page.
export async function accessible(page, name) {
  await page.evaluate(axe) // by the protocol, which the policy of the page does not bind
  const found = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ['violations'] })
    return result.violations
      .filter((v) => ['serious', 'critical'].includes(v.impact))
      .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`)
  })
  assert.deepEqual(found, [], `axe on ${name}`)
}
