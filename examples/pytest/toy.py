"""A CONNECT proxy as one writes it in an afternoon: ``python3 toy.py 127.0.0.1:3128``. Browsers are happy with it; the suite is not."""

import asyncio
import sys


async def serve(address):
    host, port = address.rsplit(":", 1)
    server = await asyncio.start_server(tunnel, host.strip("[]"), int(port))
    await server.serve_forever()


async def tunnel(client, answer):
    request = await client.readline()
    while (await client.readline()).strip():
        pass
    host, _, port = request.decode().split(" ")[1].rpartition(":")
    try:
        server, forward = await asyncio.open_connection(host.strip("[]"), int(port))
    except OSError:
        answer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        answer.close()
        return
    answer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await asyncio.gather(relay(client, forward), relay(server, answer))


async def relay(source, sink):
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    sink.close()


asyncio.run(serve(sys.argv[1]))
