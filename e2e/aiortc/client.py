"""A participant made with aiortc, speaking the platform API directly.

Reads one JSON object from the command line: api, meeting_id, participant_id, secret. Sends a tone and a picture, asks
for every stream of the roster, and prints what it decodes as one JSON object a line, once a second. Ends when its
standard input ends.
"""

import asyncio
import fractions
import json
import math
import sys
import urllib.request
from array import array

import aiortc
import av
import websockets

SLOTS = 4
SAMPLE_RATE = 48_000
TONE_HZ = 440


class Tone(aiortc.MediaStreamTrack):
    """A steady tone, 20 ms a frame."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.samples = 0
        self.begin = None

    async def recv(self):
        count = SAMPLE_RATE // 50
        loop = asyncio.get_running_loop()
        self.begin = self.begin or loop.time()
        await asyncio.sleep(max(0.0, self.begin + self.samples / SAMPLE_RATE - loop.time()))
        wave = array(
            "h",
            (
                int(9000 * math.sin(2 * math.pi * TONE_HZ * (self.samples + i) / SAMPLE_RATE))
                for i in range(count)
            ),
        )
        frame = av.AudioFrame(format="s16", layout="mono", samples=count)
        frame.planes[0].update(wave.tobytes())
        frame.sample_rate = SAMPLE_RATE
        frame.pts = self.samples
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE)
        self.samples += count
        return frame


class Picture(aiortc.VideoStreamTrack):
    """Grey that grows lighter and darker, 320 by 240, 30 a second."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(320, 240, "yuv420p")
        light = int(128 + 80 * math.sin(pts / 90_000))
        for plane, value in zip(frame.planes, (light, 128, 128)):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        return frame


class Client:
    def __init__(self, options):
        self.options = options
        # A transport for each m-line until the answer bundles them: with fewer, this library reads candidates from the
        # last m-line of a transport instead of from the one that carries it.
        policy = aiortc.RTCBundlePolicy.MAX_COMPAT
        self.pc = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[], bundlePolicy=policy))
        self.pc.on("track", self.on_track)
        self.received = {}
        self.requested = {}
        self.requests = 0

    def on_track(self, track):
        entry = {"kind": track.kind, "frames": 0, "width": 0, "height": 0, "energy": 0.0}
        transceivers = [t for t in self.pc.getTransceivers() if t.receiver.track is track]
        mid = transceivers[0].mid if transceivers else track.id
        self.received[mid] = entry
        asyncio.ensure_future(self.consume(track, entry))

    async def consume(self, track, entry):
        while True:
            try:
                frame = await track.recv()
            except aiortc.mediastreams.MediaStreamError:
                return
            entry["frames"] += 1
            if track.kind == "video":
                entry["width"], entry["height"] = frame.width, frame.height
            else:
                samples = array("h", bytes(frame.planes[0]))
                entry["energy"] += sum((s / 32768) ** 2 for s in samples[::8])

    async def run(self):
        details = self.join()
        async with websockets.connect(details["location"], max_size=None) as socket:
            await self.send(socket, "authenticate", token=details["token"], participant_id=self.options["participant_id"])
            await self.offer(socket)
            reporter = asyncio.ensure_future(self.report())
            stdin = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
            reader = asyncio.ensure_future(self.read(socket))
            await asyncio.wait([stdin, reader], return_when=asyncio.FIRST_COMPLETED)
            reporter.cancel()
            if reader.done():
                reader.result()
            reader.cancel()
            await self.pc.close()

    def join(self):
        body = {"participant_id": self.options["participant_id"], "participant_secret": self.options["secret"]}
        request = urllib.request.Request(
            f"{self.options['api']}/v1/meetings/{self.options['meeting_id']}/join",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    async def send(self, socket, kind, **fields):
        self.requests += 1
        message = {"type": kind, "id": f"m{self.requests}", **fields}
        await socket.send(json.dumps(message))
        return message["id"]

    async def offer(self, socket):
        self.pc.addTransceiver(Tone(), direction="sendonly")
        self.pc.addTransceiver(Picture(), direction="sendonly")
        for kind in ("audio", "video"):
            for _ in range(SLOTS):
                self.pc.addTransceiver(kind, direction="recvonly")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        await self.send(socket, "media_offer", sdp=self.pc.localDescription.sdp)

    async def read(self, socket):
        async for text in socket:
            message = json.loads(text)
            kind = message["type"]
            if kind == "media_offer":
                answer = aiortc.RTCSessionDescription(sdp=message["sdp"], type="answer")
                await self.pc.setRemoteDescription(answer)
            elif kind == "roster_update":
                await self.request_new(socket, message["participants"])
            elif kind in ("error", "server_error"):
                print(json.dumps({"error": message}), flush=True)

    async def request_new(self, socket, participants):
        for producer, entry in participants.items():
            for stream in entry["streams"]:
                if (producer, stream) not in self.requested:
                    self.requested[(producer, stream)] = True
                    await self.send(
                        socket, "request_stream", producer_id=producer, stream_id=stream, rid=None, receive_mid=None
                    )

    async def report(self):
        while True:
            await asyncio.sleep(1)
            state = {"connection": self.pc.connectionState, "received": self.received}
            print(json.dumps(state), flush=True)


if __name__ == "__main__":
    asyncio.run(Client(json.loads(sys.argv[1])).run())
