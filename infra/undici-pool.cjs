/**
 * Stands in for `undici` in the bundles (see bundle.ts): the pool, its `request`, its way to connect and the errors. The package's own index
 * also loads fetch, caches, mocks and proxies, 260 KB and about a quarter of the time in which a function starts.
 * What functions/ import from undici has to be listed here.
 */
const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
Dispatcher.prototype.request = require('undici/lib/api/api-request.js');

exports.Pool = require('undici/lib/dispatcher/pool.js');
exports.errors = require('undici/lib/core/errors.js');
exports.buildConnector = require('undici/lib/core/connect.js');

// undici's parser of HTTP is one large function of WebAssembly. V8 sets out to optimize it within the first ten requests, which takes
// 80 ms of CPU and 22 MB; at 256 MB that is half a second in which requests wait, for what is hardly any work. This budget is 77 times
// V8's own. V8 promises nothing of flags that change while it runs; this one is set once, before what it is about exists. Set here,
// before the parser is made, and not in the bundle's first line: while V8's flags are others than Node.js was built with, Node.js does
// not use its own compiled code of the built-in modules, and most of those are loaded by now.
require('node:v8').setFlagsFromString('--wasm-tiering-budget=1000000000');
