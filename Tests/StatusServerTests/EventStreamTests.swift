import Foundation
import Status
import StatusServer
import TestSupport
import Testing

/// Server-sent events.
@Suite struct EventStreamTests {
    @Test("a listener gets every state, then the changes, and figures each second")
    func events() async throws {
        try await serving { served in
            let client = try await RawClient.connected(to: served.port)
            client.get("/api/events")
            let first = await client.read(until: "event: stats")
            #expect(first.text.contains("HTTP/1.1 200 OK") && first.text.contains("text/event-stream"))
            #expect(
                first.text.contains(
                    #"event: state\#ndata: {"channel":"main","group":"hd","now":"live","target":"twitch"}"#))
            #expect(
                first.text.contains(
                    #"data: {"bitrate":6000000,"channel":"main","droppedFrames":0,"fps":30,"group":"hd","uptime":3}"#))
            served.box.now?.channels[0].groups[0].targets[0].state = .refused
            served.box.now?.channels[0].groups[0].targets[0].history = [
                EndSnapshot(started: 1, ended: 2, status: "exited 1", cause: "rejected", lastLines: ["no such key"])
            ]
            served.box.now?.problems = [Problem(.targetRefused, subject: "target twitch", sentence: "check the key")]
            let second = await client.read(until: #""isActive":true"#).text
            #expect(
                second.contains(#"{"before":"live","channel":"main","group":"hd","now":"refused","target":"twitch"}"#))
            let ended =
                #"{"cause":"rejected","channel":"main","group":"hd","lastLines":["no such key"],"#
                + #""status":"exited 1","target":"twitch"}"#
            #expect(second.contains("event: ended\ndata: \(ended)"))
            #expect(second.contains(#"event: problem"#))
            served.box.now?.problems = []
            #expect(await client.read(until: #""isActive":false"#).text.contains("target-refused"))
        }
    }

    @Test("at the end of the service, listeners get an event and are closed")
    func end() async throws {
        let late = LateRead()
        try await serving { served in
            let client = try await RawClient.connected(to: served.port)
            client.get("/api/events")
            _ = await client.read(until: "event: stats")
            late.rest = Task { await client.read() }
        }
        let rest = try #require(await late.rest?.value)
        #expect(
            rest.isClosed && rest.text.contains("event: ended\ndata: {\"lastLines\":[],\"status\":\"stopping\"}"),
            "\(rest.text)")
    }

    @Test("a listener that does not read is dropped, and the others continue")
    func stuck() async throws {
        // On a busy machine the listener that reads is behind by an event or two, too.
        var limits = ServerLimits.patient
        limits.listenerQueue = 4
        try await serving(limits: limits) { served in
            // More than the kernel buffers for a client.
            served.box.now?.problems = (0..<300).map {
                Problem(.targetDown, subject: "\($0)", sentence: String(repeating: "x", count: 600))
            }
            let stuck = try await RawClient.connected(to: served.port, receiveBuffer: 4096)
            stuck.get("/api/events")
            let good = try await RawClient.connected(to: served.port)
            good.get("/api/events")
            _ = await good.read(until: "event: stats")
            try await eventually("the one that does not read to be dropped") { !stuck.send("x") }
            #expect(await good.read(until: "event: stats").isClosed == false)
            withExtendedLifetime(stuck) {}
        }
    }

    @Test("one listener too many is asked to try again later")
    func crowd() async throws {
        var limits = ServerLimits.patient
        limits.listeners = 1
        try await serving(limits: limits) { served in
            let first = try await RawClient.connected(to: served.port)
            first.get("/api/events")
            _ = await first.read(until: "\n\n")
            #expect(try await HTTP.exchange(port: served.port, "/api/events").status == 503)
            withExtendedLifetime(first) {}
        }
    }

    private final class LateRead: @unchecked Sendable {
        var rest: Task<(text: String, isClosed: Bool), Never>?
    }
}
