import Foundation
import NIOCore
import Status
import StatusServer
import TestSupport
import Testing

/// Clients that misbehave, without an effect on other clients.
@Suite struct BadClientTests {
    private func isServed(_ served: Served) async throws -> Bool {
        try await HTTP.get(port: served.port, "/healthz") == "ok\n"
    }

    @Test("with a thousand idle connections requests are answered, up to the limit")
    func idle() async throws {
        try await serving { served in
            var clients: [RawClient] = try await RawClient.connected(to: served.port, count: 1000)
            #expect(try await isServed(served))
            // The oldest connections were closed for the later ones.
            #expect(await clients[0].read().isClosed)
            clients = []
        }
    }

    @Test("a request that is too large is rejected and closed", arguments: ["line", "header", "body", "endless body"])
    func large(part: String) async throws {
        try await serving { served in
            let client = try await RawClient.connected(to: served.port)
            let filler = String(repeating: "a", count: 200 << 10)
            switch part {
            case "line": client.send("GET /" + filler)
            case "header": client.send("GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: " + filler)
            case "body": client.send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + filler)
            default:
                client.send("POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFF\r\n" + filler)
            }
            let answer = await client.read()
            #expect(answer.isClosed, "\(answer.text)")
            #expect(answer.text.isEmpty || answer.text.hasPrefix("HTTP/1.1 4"), "\(answer.text)")
            #expect(try await isServed(served))
        }
    }

    @Test(
        "bytes that are not HTTP are answered with 400 and closed",
        arguments: ["\r\n\r\nnonsense\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\0\u{1}"])
    func nonsense(text: String) async throws {
        try await serving { served in
            let client = try await RawClient.connected(to: served.port)
            client.send(text)
            let answer = await client.read()
            #expect(
                answer.isClosed && (answer.text.isEmpty || answer.text.hasPrefix("HTTP/1.1 400 ")), "\(answer.text)")
            #expect(try await isServed(served))
        }
    }

    @Test("a half request and an unread answer are closed at their limits")
    func slow() async throws {
        var limits = ServerLimits.patient
        limits.request = .milliseconds(300)
        limits.answer = .milliseconds(300)
        try await serving(Served.large, limits: limits) { served in
            let half = try await RawClient.connected(to: served.port)
            half.send("GET /metrics HTTP/1.1\r\nHo")
            #expect(await half.read().isClosed)
            let stuck = try await RawClient.connected(to: served.port, receiveBuffer: 4096)
            for _ in 0..<8 { stuck.get("/metrics") }
            try await eventually("the stuck client to be closed") { !stuck.send("x") }
            // On a busy machine the client itself may be slow.
            try await eventually("another client to be served") { (try? await isServed(served)) == true }
        }
    }
}
