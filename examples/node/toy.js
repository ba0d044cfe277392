// A CONNECT proxy as one writes it in an afternoon: `node toy.js 127.0.0.1:3128`. Browsers are happy with it; the suite is not.

import { createServer } from "node:http";
import { connect } from "node:net";

const proxy = createServer((request, answer) => answer.writeHead(405).end());

proxy.on("connect", (request, client) => {
  const refuse = () => client.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
  const [, host, port] = request.url.match(/^\[?(.*?)\]?:(.*)$/) ?? [];
  let server;
  try {
    server = connect(Number(port), host);
  } catch {
    return refuse();
  }
  server.on("connect", () => {
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    server.pipe(client);
    client.pipe(server);
  });
  server.on("error", refuse);
  client.on("error", () => server.destroy());
});

const [, host, port] = process.argv[2].match(/^\[?(.*?)\]?:(\d+)$/);
proxy.listen(Number(port), host);
