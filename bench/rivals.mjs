// The servers that bench/compare puts side by side, each at its best configuration for one serving
// thread: what is written into its files, how it is started, and where its cache lies.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'

/** The upstream of all: nginx with plain files; /miss/SIZE/ANYTHING is the file SIZE under another name,
 *  /status says how often it was asked. */
export const originConfig = (state, port) => `
worker_processes 1; daemon off; pid ${state}/origin.pid; error_log ${state}/origin.log;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; keepalive_requests 1000000;
  add_header Cache-Control "public, max-age=31536000, immutable";
  server {
    listen 127.0.0.1:${port};
    location / { root ${state}/www; }
    location = /status { stub_status; }
    location ~ ^/miss/(?<size>[^/]+)/ { alias ${state}/www/$size; }
  }
}`

const nginxConfig = (state, port, origin) => `
worker_processes 1; daemon off; pid ${state}/nginx.pid; error_log ${state}/nginx.log;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush off; tcp_nodelay on;
  keepalive_requests 1000000; open_file_cache max=100000 inactive=60s;
  proxy_cache_path ${state}/nginx-cache levels=1:2 keys_zone=media:64m max_size=4g
                   inactive=1d use_temp_path=off;
  upstream origin { server 127.0.0.1:${origin}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache media; proxy_cache_valid 200 1d; proxy_cache_lock on;
      proxy_buffers 16 64k; proxy_buffer_size 64k; proxy_busy_buffers_size 128k;
    }
  }
}`

const varnishConfig = origin => `vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "${origin}"; }`

// Enough threads for every connection that the load holds open at once.
const varnishArguments = (state, port) => ['-F', '-n', `${state}/varnish`, '-j', 'none', '-a', `127.0.0.1:${port}`,
  '-f', `${state}/varnish.vcl`, '-s', 'malloc,4G', '-p', 'thread_pools=1', '-p', 'thread_pool_min=100',
  '-p', 'thread_pool_max=4000', '-p', 'workspace_client=64k']

const atsRecords = { // beside Debian's defaults
  'exec_thread.autoconfig': 'INT 0', 'exec_thread.limit': 'INT 1', 'accept_threads': 'INT 0', 'task_threads': 'INT 1',
  'log.logging_enabled': 'INT 0', 'admin.user_id': 'STRING #-1', 'http.insert_request_via_str': 'INT 0',
  'http.cache.required_headers': 'INT 0', 'http.keep_alive_no_activity_timeout_in': 'INT 600',
}

const edgeConfig = (state, port, origin) => `
[edge]
name = "edge-1"
listen = ["127.0.0.1:${port}"]
admin = "127.0.0.1:${port + 100}"
threads = 1
[log]
level = "error"
[cache]
path = "${state}/edge-cache"
size = "4GiB"
[[upstream]]
url = "http://127.0.0.1:${origin}"
`

function prepareAts(state, port, origin) {
  const root = `${state}/ats`
  const folders = { sysconfdir: 'etc', datadir: 'share', localstatedir: 'var', runtimedir: 'run', logdir: 'log', cachedir: 'store' }
  for (const folder of Object.values(folders)) mkdirSync(`${root}/${folder}`, { recursive: true })
  cpSync('/etc/trafficserver', `${root}/etc`, { recursive: true })
  const places = { prefix: '/usr', exec_prefix: '/usr', bindir: '/usr/bin', sbindir: '/usr/sbin', includedir: '/usr/include',
    libdir: '/usr/lib/trafficserver', libexecdir: '/usr/lib/trafficserver/modules' }
  for (const [key, folder] of Object.entries(folders)) places[key] = `${root}/${folder}`
  writeFileSync(`${root}/runroot.yaml`, Object.entries(places).map(([key, place]) => `${key}: ${place}\n`).join(''))
  const records = { ...atsRecords, 'http.server_ports': `STRING ${port}:ip-in=127.0.0.1` }
  writeFileSync(`${root}/etc/records.config`, Object.entries(records).map(([key, value]) => `CONFIG proxy.config.${key} ${value}\n`).join(''))
  writeFileSync(`${root}/etc/remap.config`, `map / http://127.0.0.1:${origin}/\n`)
  writeFileSync(`${root}/etc/storage.config`, `${root}/store 4G\n`)
  return ['traffic_server', [`--run-root=${root}`]]
}

/** name → { needs, prepare(state, port, origin) → [command, arguments], shown }: `shown` is printed beside the figures. */
export const rivals = {
  torchrelay: {
    needs: ['build/bin/torchrelay-edge'],
    prepare(state, port, origin) {
      writeFileSync(`${state}/edge.toml`, edgeConfig(state, port, origin))
      return ['build/bin/torchrelay-edge', ['--config', `${state}/edge.toml`]]
    },
    shown: edgeConfig('STATE', 7101, 7000),
  },
  nginx: {
    needs: ['nginx'],
    prepare(state, port, origin) {
      writeFileSync(`${state}/nginx.conf`, nginxConfig(state, port, origin))
      return ['nginx', ['-c', `${state}/nginx.conf`, '-p', state]]
    },
    shown: nginxConfig('STATE', 7101, 7000),
  },
  varnish: {
    needs: ['varnishd'],
    prepare(state, port, origin) {
      writeFileSync(`${state}/varnish.vcl`, varnishConfig(origin))
      return ['varnishd', varnishArguments(state, port)]
    },
    shown: `\nvarnishd ${varnishArguments('STATE', 7101).join(' ')}\n${varnishConfig(7000)}`,
  },
  ats: {
    needs: ['traffic_server'],
    prepare: prepareAts,
    shown: '\n' + Object.entries(atsRecords).map(([key, value]) => `CONFIG proxy.config.${key} ${value}`).join('\n'),
  },
}
