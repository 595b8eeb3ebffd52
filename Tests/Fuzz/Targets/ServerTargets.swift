import FoundationEssentials
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Status

@testable import Control
@testable import StatusServer

extension FuzzTarget {
    /// The bytes of a client of the control socket, in any pieces.
    static let controlRequests = FuzzTarget(
        name: "control-requests",
        words: [#"{"command":""#] + ControlRequest.Command.allCases.map(\.rawValue) + [
            #""name":""#, #""encoder":""#, "\n", #"\u0000"#, "1e999", "[[[[[[[[",
        ]
    ) { input in
        var source = FuzzInput(input)
        let size = 1 + Int(source.byte())
        let bytes = source.rest()
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        let most = 1 << 10
        try channel.pipeline.syncOperations.addHandler(
            ByteToMessageHandler(LineDecoder(most: most), maximumBufferSize: 2 * most))
        do {
            for start in stride(from: 0, to: bytes.count, by: size) {
                try channel.writeInbound(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + size)]))
                while let line = try channel.readInbound(as: ByteBuffer.self) {
                    try demand(line.readableBytes < most, "a line of \(line.readableBytes) bytes")
                    guard let request = ControlRequest(line) else { continue }
                    let again = try ControlRequest(ByteBuffer(bytes: JSONEncoder().encode(request)))
                    try demand(again == request, "a rewritten request differs")
                }
            }
        } catch is LineDecoder.TooLong {
        } catch is ByteToMessageDecoderError.PayloadTooLargeError {
        }
        // An answer of another version of the service, or of another program.
        _ = try? JSONDecoder().decode(ControlReply.self, from: Data(bytes))
    }

    /// The bytes of a client of the status server, in any pieces.
    static let httpRequests = FuzzTarget(
        name: "http-requests",
        words: [
            "GET ", "HEAD ", "POST ", "/metrics", "/api/events", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "Host: a\r\n",
            "Content-Length: ", "Transfer-Encoding: chunked\r\n", "\r\n\r\n",
            "0\r\n\r\n", "Connection: close\r\n", "Expect: 100-continue\r\n", "Upgrade: h2c\r\n", ":", "\u{0}",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ]
    ) { input in
        var source = FuzzInput(input)
        let size = 1 + Int(source.byte())
        let bytes = source.rest()
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        var limits = ServerLimits()
        limits.requestBytes = 512
        let answers = Answers()
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
        try channel.pipeline.syncOperations.addHandlers(
            HTTP1ToHTTPServerCodec(secure: false), ConnectionGuard(limits: limits, connections: Connections(most: 4)),
            answers)
        channel.pipeline.fireChannelActive()
        for start in stride(from: 0, to: bytes.count, by: size) where channel.isActive {
            _ = try? channel.writeInbound(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + size)]))
            channel.embeddedEventLoop.run()
        }
        try demand(answers.most <= limits.requestBytes, "\(answers.most) bytes of one request came through")
    }

    /// Texts from devices, peers and FFmpeg, in every form of the status.
    static let statusTexts = FuzzTarget(
        name: "status-texts", seeds: [Array("OBS \"cam\"\\\n{}\u{2028}|1|2".utf8)],
        words: ["\n", "\"", "\\", "{", "}", "\u{0}", "\r", "\u{2028}", "# TYPE", "data: "]
    ) { input in
        let parts = input.text.split(separator: "|", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        let text = { (index: Int) in index < parts.count ? parts[index] : "" }
        // A clock gives a finite time.
        let time = Double(text(4)).flatMap { $0.isFinite ? $0 : nil }
        let box = BoxSnapshot(
            version: text(0), ffmpeg: text(1), started: time ?? 0, updated: 0,
            gpus: [GPUSnapshot(slot: text(0), driver: text(2), node: text(1), state: .ready)],
            captureDevices: [CaptureDeviceSnapshot(name: text(2), serial: text(3), path: text(0))],
            problems: [
                Problem(.targetDown, subject: text(2), sentence: text(3)),
                Problem(.targetDown, subject: text(2), sentence: text(0)),
            ])
        for line in PrometheusText.render(box).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .dropLast()
        {
            let line = String(decoding: line, as: UTF8.self)
            try demand(
                line.hasPrefix("# HELP ") || line.hasPrefix("# TYPE ") || isSample(line),
                "this is not a line of metrics: \(line.debugDescription)")
        }
        for isPretty in [true, false] {
            let json = try StatusJSON.render(box, isPretty: isPretty)
            try demand(
                try JSONDecoder().decode(BoxSnapshot.self, from: Data(json)) == box, "the JSON decodes to another value"
            )
            if !isPretty {
                try demand(
                    json.dropLast().allSatisfy { $0 >= 0x20 },
                    "the JSON has a control character, which would end an event")
            }
        }
        for event in StatusEvents.between(nil, box) {
            let json = try JSONEncoder().encode(AnyBody(event.body))
            try demand(json.allSatisfy { $0 >= 0x20 }, "the JSON of an event has a control character")
        }
        _ = StatusTable.render(box, coloured: false)
    }

    /// `name{label="value",…} number`
    private static func isSample(_ line: String) -> Bool {
        var rest = line.utf8[...].drop { ($0 >= 97 && $0 <= 122) || $0 == 95 }
        guard rest.count < line.utf8.count else { return false }
        if rest.first == UInt8(ascii: "{") {
            repeat {
                rest = rest.dropFirst().drop { ($0 >= 97 && $0 <= 122) || $0 == 95 }
                guard rest.starts(with: "=\"".utf8) else { return false }
                rest = rest.dropFirst(2)
                while let byte = rest.first, byte != UInt8(ascii: "\"") {
                    rest = rest.dropFirst(byte == UInt8(ascii: "\\") ? 2 : 1)
                }
                rest = rest.dropFirst()
            } while rest.first == UInt8(ascii: ",")
            guard rest.first == UInt8(ascii: "}") else { return false }
            rest = rest.dropFirst()
        }
        guard rest.first == UInt8(ascii: " "), let value = String(rest.dropFirst()) else { return false }
        return Double(value) != nil || ["+Inf", "-Inf", "NaN"].contains(value)
    }
}

private struct AnyBody: Encodable {
    let body: any Encodable

    init(_ body: any Encodable) { self.body = body }

    func encode(to encoder: any Encoder) throws { try body.encode(to: encoder) }
}

/// Answers every request, and counts the bytes of each.
private final class Answers: ChannelInboundHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private var count = 0
    /// The size of the largest request in bytes.
    private(set) var most = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            count =
                (head.path?.utf8.count ?? 0)
                + head.headerFields.reduce(0) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count }
        case .body(let body):
            count += body.readableBytes
        case .end:
            context.write(wrapOutboundOut(.head(HTTPResponse(status: .ok))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        most = max(most, count)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
