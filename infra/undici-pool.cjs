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
