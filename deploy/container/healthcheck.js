'use strict';
// Asks the exporter in this container whether it is healthy; exits 0 if it is. The path is open also where TLS and basic
// auth are set up, and which scheme is spoken is found out, so that the image needs no setting for either.
const { request: plain } = require('node:http');
const { request: secure } = require('node:https');

const address = process.env.HEALTHCHECK_ADDRESS ?? '127.0.0.1:10066';
const timeoutMs = 4000;

/** Resolves with whether it answered that it is healthy; rejects when it answered nothing that is HTTP. */
function ask(request, scheme) {
  return new Promise((resolve, reject) => {
    // The certificate is of the name under which others come, never of loopback, and who listens here is this container.
    const options = { agent: false, rejectUnauthorized: false, timeout: timeoutMs };
    const asked = request(`${scheme}://${address}/-/healthy`, options, (answer) => {
      answer.resume();
      // 400 over plain HTTP is how a server that wants TLS may say so.
      if (scheme === 'http' && answer.statusCode === 400) reject(new Error('400'));
      else resolve(answer.statusCode === 200);
    });
    // Where client certificates are asked for, which this has none of, the exporter makes the connection and closes it.
    let isSecured = false;
    asked.on('socket', (socket) => socket.once('secureConnect', () => (isSecured = true)));
    asked.on('error', (error) => (isSecured && error.code === 'ECONNRESET' ? resolve(true) : reject(error)));
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.end();
  });
}

ask(plain, 'http')
  .catch(() => ask(secure, 'https'))
  .catch(() => false)
  .then((isHealthy) => process.exit(isHealthy ? 0 : 1));
