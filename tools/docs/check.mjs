// Checks that every link and picture of a built site leads to a file, and every anchor to an element: node check.mjs FOLDER.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const site = resolve(process.argv[2])
const pages = readdirSync(site, { recursive: true }).filter((name) => name.endsWith('.html') && name !== '404.html')
const ids = new Map()

// idsOf returns the anchors of a page.
const idsOf = (file) => {
  if (!ids.has(file)) ids.set(file, new Set([...readFileSync(file, 'utf8').matchAll(/\sid="([^"]+)"/g)].map((match) => match[1])))
  return ids.get(file)
}

let links = 0
const wrong = []
for (const page of pages) {
  const file = join(site, page)
  for (const [, link] of readFileSync(file, 'utf8').matchAll(/<(?:a|img|source)\b[^>]*?\s(?:href|src|srcset)="([^"]+)"/g)) {
    if (/^[a-z]+:|^\/\//.test(link)) continue
    links++
    const [path, anchor] = link.replaceAll('&amp;', '&').split('#')
    let target = path === '' ? file : path.startsWith('/') ? join(site, path) : join(dirname(file), path)
    if (existsSync(target) && statSync(target).isDirectory()) target = join(target, 'index.html')
    if (!existsSync(target) && existsSync(`${target}.html`)) target += '.html'
    if (!existsSync(target)) wrong.push(`${page}: there is no ${link}`)
    else if (anchor && target.endsWith('.html') && !idsOf(target).has(decodeURIComponent(anchor))) wrong.push(`${page}: ${link} leads to no element`)
  }
}
if (pages.length < 30 || links < 500) wrong.push(`the site has only ${pages.length} pages and ${links} links`)
if (wrong.length > 0) {
  console.error(wrong.join('\n'))
  process.exit(1)
}
console.log(`${pages.length} pages, ${links} links`)
