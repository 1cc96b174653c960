// The site of docs/, which make docs builds into .bucketgen/site.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'

const repository = 'https://github.com/bucketgen/bucketgen'
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..')
const docs = join(root, 'docs')
const modules = join(root, 'tools/docs/node_modules')

// title returns the first heading of a page.
const title = (file) => (/^# (.*)$/m.exec(readFileSync(file, 'utf8')) ?? [, file])[1].replaceAll('`', '')

// group lists the pages of a folder, and of the folders in it.
const group = (text, folder) => ({
  text,
  collapsed: true,
  items: readdirSync(join(docs, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.name.endsWith('.md'))
    .map((entry) =>
      entry.isDirectory()
        ? group(title(join(docs, folder, entry.name, 'README.md')), join(folder, entry.name))
        : { text: title(join(docs, folder, entry.name)), link: `/${join(folder, entry.name).replace(/README\.md$/, 'index').replace(/\.md$/, '')}` },
    ),
})

// outward leads links that leave docs/ to the repository.
const outward = (md) => {
  md.core.ruler.push('outward', (state) => {
    const page = join(docs, state.env.relativePath ?? '')
    for (const block of state.tokens)
      for (const token of block.children ?? []) {
        const at = token.type === 'link_open' ? token.attrIndex('href') : -1
        const href = at < 0 ? '' : token.attrs[at][1]
        if (href === '' || /^[a-z]+:|^#|^\//.test(href)) continue
        const [path, anchor] = href.split('#')
        const target = resolve(dirname(page), decodeURIComponent(path))
        if (relative(docs, target).startsWith('..') || (!target.endsWith('.md') && existsSync(target)))
          token.attrs[at][1] = `${repository}/blob/main/${relative(root, target)}${anchor ? `#${anchor}` : ''}`
        else if (target.endsWith('README.md')) token.attrs[at][1] = href.replace('README.md', 'index.md')
      }
  })
}

export default defineConfig({
  title: 'bucketgen',
  description: 'Typed, real-time user segments for Go, in your own PostgreSQL',
  srcDir: docs,
  outDir: join(root, '.bucketgen/site'),
  cacheDir: join(root, '.bucketgen/vitepress'),
  rewrites: Object.fromEntries(['', 'how-to/', 'reference/commands/'].map((folder) => [`${folder}README.md`, `${folder}index.md`])),
  ignoreDeadLinks: true, // check.mjs checks the built site, with its anchors
  markdown: { config: outward },
  vite: {
    resolve: {
      alias: [ // pages are outside of the folder that has the modules
        { find: /^vue$/, replacement: join(modules, 'vue/dist/vue.runtime.esm-bundler.js') },
        { find: /^vue\/server-renderer$/, replacement: join(modules, '@vue/server-renderer/dist/server-renderer.esm-bundler.js') },
      ],
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: repository }],
    sidebar: [
      { text: 'Documentation', link: '/' },
      group('Tutorial', 'tutorial'),
      group('How-to', 'how-to'),
      group('Reference', 'reference'),
      group('Explanation', 'explanation'),
    ],
  },
})
