--- Python's aiohttp.
return require("lunet.peer.python").client {
  library = "aiohttp",
  package = "python3-aiohttp",
  script = [[
async def ask():
    async with aiohttp.ClientSession(**options) as session:
        await session.get(URL)
import asyncio
asyncio.run(ask())]],
  waits = {
    default = { connect = 300, answer = 300, status = 1, words = "TimeoutError" },
    connect = { option = "timeout=aiohttp.ClientTimeout(sock_connect=3)", connect = 3 },
    answer = { option = "timeout=aiohttp.ClientTimeout(total=3)", connect = 3, answer = 3, status = 1,
      words = "TimeoutError" },
  },
}
