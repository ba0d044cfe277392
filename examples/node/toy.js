// A CONNECT proxy as one writes it in an afternoon: `node toy.js 127.0.0.1:3128`. Browsers are happy with it; the suite is not.

import { createServer } from "node:http";
import { connect } from "node:net";

const proxy = createServer((request, answer) => answer.writeHead(405).end());

proxy.on("connect", (request, client) => {
  const [, host, port] = request.url.match(/^(.*):(.*)$/) ?? [];
  const server = connect(Number(port), host, () => {
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    server.pipe(client);
    client.pipe(server);
  });
  server.on("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"));
  client.on("error", () => server.destroy());
});

// A target that is no port is an exception; a proxy that falls over at each is no use.
process.on("uncaughtException", () => {});

const [, host, port] = process.argv[2].match(/^\[?(.*?)\]?:(\d+)$/);
proxy.listen(Number(port), host);
