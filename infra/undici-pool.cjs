/**
 * Replaces `undici` in the bundles (see bundle.ts): the pool, its `request`, its connector and the errors. The package's own index
 * also loads fetch, caches, mocks and proxies: 260 KB, and about a quarter of the start of a function.
 * Every import of functions/ from undici has to be exported here.
 */
const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
Dispatcher.prototype.request = require('undici/lib/api/api-request.js');

exports.Pool = require('undici/lib/dispatcher/pool.js');
exports.errors = require('undici/lib/core/errors.js');
exports.buildConnector = require('undici/lib/core/connect.js');

// undici's HTTP parser is one large WebAssembly function. Within its first ten requests V8 starts to optimize it, which takes 80 to 160 ms
// of CPU and 22 MB. At 512 MB that delays requests by up to half a second, and the optimized code saves nothing measurable. V8 optimizes only
// the function with this number, and the parser has none of it. A larger budget would only postpone the optimization.
// V8 guarantees nothing for flags that change at run time. This one is set once, before the parser exists.
// It is not set in the bundle's first line: with other flags than at its build, Node.js does not use its compiled code of the built-in
// modules, and most of those are loaded by now.
require('node:v8').setFlagsFromString('--wasm-tier-up-filter=1000000');
