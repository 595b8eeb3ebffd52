/// The server's half of a conversation: takes the bytes of a client, and makes the bytes to send.
struct StubDialogue {
    /// What happens at a later time.
    enum Step {
        case accept
        case ping
        case status(code: String, isError: Bool)
        case reconnect(to: String?)
        case deafness
        case end
    }

    /// The bytes to send.
    var output: [UInt8] = []
    /// Whether the server closes the connection once it has sent the output.
    private(set) var isEnding = false
    /// Whether the server has stopped reading.
    private(set) var isDeaf = false
    /// The steps that are to come.
    private var steps: [(due: ContinuousClock.Instant, step: Step)] = []

    private let behaviour: StubBehaviour
    private let keepsMedia: Bool
    private let connection: StubConnection
    private var chunks = StubChunks()
    private var greeting: [UInt8] = []
    private var isGreeted = false
    private var chunkSize = 128
    private var hasPublished = false
    private var acknowledged = 0
    /// When the oldest ping without an answer was sent.
    private var waitingSince: ContinuousClock.Instant?

    private static let handshakeSize = 1536
    /// How long a client may take to answer a ping.
    private static let patience = Duration.seconds(5)

    init(_ behaviour: StubBehaviour, keepsMedia: Bool, connection: StubConnection) {
        self.behaviour = behaviour
        self.keepsMedia = keepsMedia
        self.connection = connection
    }

    /// When the next step is due.
    var nextDue: ContinuousClock.Instant? { steps.map(\.due).min() }

    /// Carries out the steps that are due.
    mutating func advance(to now: ContinuousClock.Instant) {
        let due = steps.filter { $0.due <= now }.sorted { $0.due < $1.due }
        steps.removeAll { $0.due <= now }
        for step in due { run(step.step, now) }
    }

    /// Reads bytes of the client.
    mutating func take(_ bytes: ArraySlice<UInt8>, at now: ContinuousClock.Instant) {
        connection.note { $0.byteCount += bytes.count }
        guard behaviour != .silent else { return }
        do {
            if isGreeted { chunks.append(bytes) } else { try greet(bytes) }
            while isGreeted, !isEnding, let message = try chunks.next() { try take(message, now) }
            acknowledge()
        } catch {
            connection.note { $0.violation = "\(error)" }
            isEnding = true
        }
    }

    // MARK: Handshake

    private mutating func greet(_ bytes: ArraySlice<UInt8>) throws {
        let size = Self.handshakeSize
        let before = greeting.count
        greeting += bytes
        guard greeting.first == 3 else { throw Failed("a handshake of the version \(greeting.first ?? 0)") }
        let ours = [0, 0, 0, 0, 0, 0, 0, 0] + (8..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        if before < 1 + size, greeting.count >= 1 + size { output += [3] + ours + greeting[1...size] }
        guard greeting.count >= 1 + 2 * size else { return }
        let echo = greeting[(1 + size)..<(1 + 2 * size)]
        connection.note {
            $0.hasShakenHands = true
            // The client may set the time in the second four bytes.
            $0.echoesHandshake = echo.dropFirst(8).elementsEqual(ours.dropFirst(8))
        }
        isGreeted = true
        chunks.append(greeting.dropFirst(1 + 2 * size))
        greeting = []
    }

    // MARK: Messages

    private mutating func take(_ message: StubChunks.Message, _ now: ContinuousClock.Instant) throws {
        let value = message.body.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        switch message.kind {
        case 1:
            guard value > 0, value < 1 << 31 else { throw Failed("a chunk size of \(value)") }
            chunks.chunkSize = Int(value)
            connection.note { $0.chunkSize = Int(value) }
        case 2: chunks.abort(Int(value))
        case 3: connection.note { $0.acknowledgements.append(value) }
        case 4 where message.body.count == 6 && value >> 16 == 7:
            waitingSince = nil
            connection.note { $0.pongs.append(message.body.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }) }
        case 5: connection.note { $0.window = value }
        case 20: try answer(StubCommand(message.body, stream: message.stream), now)
        default:
            guard let kind = StubMessage.Kind(rawValue: message.kind) else { return }
            take(
                StubMessage(
                    kind: kind, time: message.time, chunkStream: message.chunkStream, body: message.body, arrival: now))
        }
    }

    private func take(_ message: StubMessage) {
        let isAccepted = connection.note { record in
            guard record.isAccepted else {
                record.earlyCount += 1
                return false
            }
            record.mediaCount += 1
            if keepsMedia { record.media.append(message) }
            return true
        }
        if isAccepted { connection.observe?(message) }
    }

    /// Acknowledges the bytes that have come, as often as the client asks for it.
    private mutating func acknowledge() {
        let (bytes, window) = connection.note { ($0.byteCount, $0.window) }
        guard let window, window > 0, bytes - acknowledged >= Int(window) else { return }
        acknowledged = bytes
        send(kind: 3, UInt32(truncatingIfNeeded: bytes).bigEndianBytes)
    }

    // MARK: Commands

    private mutating func answer(_ command: StubCommand, _ now: ContinuousClock.Instant) throws {
        connection.note { $0.commands.append(command) }
        switch command.name {
        case "connect": try answerConnect(command)
        case "createStream": send("_result", command.transaction, [.null, .number(1)])
        case "FCPublish" where behaviour == .talkative:
            send("onFCPublish", 0, [.null, Self.info("NetStream.Publish.Start")])
        case "publish":
            guard !hasPublished else { throw Failed("a second request to publish") }
            guard command.stream == 1 else { throw Failed("a request to publish on stream \(command.stream)") }
            hasPublished = true
            answerPublish(now)
        default: break
        }
    }

    private mutating func answerConnect(_ command: StubCommand) throws {
        guard let application = command.values.first?["app"]?.text else { throw Failed("no application in connect") }
        var window: UInt32 = 2_500_000
        if case .window(let size) = behaviour { window = size }
        send(kind: 5, window.bigEndianBytes)
        send(kind: 6, window.bigEndianBytes + [2])
        if case .chunkSize(let size) = behaviour {
            send(kind: 1, size.bigEndianBytes)
            if size > 0 { chunkSize = Int(size) }
        }
        if let refusal = refusal(of: application) {
            send("_error", command.transaction, [.null, .object(refusal)])
            isEnding = true
            return
        }
        if behaviour == .talkative {
            send("onBWDone", 0, [.null, .number(8192)])
            send(kind: 4, [0, 0, 0, 0, 0, 0])
        }
        let server = StubValue.object(["fmsVer": .text("FMS/3,5,7,7009"), "capabilities": .number(31)])
        send("_result", command.transaction, [server, Self.info("NetConnection.Connect.Success")])
    }

    /// The answer to a client that may not connect.
    private func refusal(of application: String) -> [String: StubValue]? {
        var code = "NetConnection.Connect.Rejected"
        var description: String?
        var more: [String: StubValue] = [:]
        switch behaviour {
        case .reject(let text): description = text
        case .invalidApplication:
            code = "NetConnection.Connect.InvalidApp"
            description = "The application is unknown."
        case .redirect(let address):
            description = "The application has moved."
            more = ["ex": .object(["code": .number(302), "redirect": .text(address)])]
        case .adobe(let user, let password):
            description = StubLogin(method: .adobe, user: user, password: password).rejection(of: application)
        case .limelight(let user, let password):
            description = StubLogin(method: .llnw, user: user, password: password).rejection(of: application)
        default: break
        }
        guard let description else { return nil }
        return more.merging(["level": .text("error"), "code": .text(code), "description": .text(description)]) { $1 }
    }

    private mutating func answerPublish(_ now: ContinuousClock.Instant) {
        switch behaviour {
        case .neverAnswer: break
        case .acceptLate(let pause): plan(.accept, now + pause)
        case .closeAtPublish(let answers):
            if answers { accept() }
            isEnding = true
        case .badName(let closes):
            status("NetStream.Publish.BadName", isError: true)
            isEnding = closes
        case .denied:
            status("NetStream.Publish.Denied", isError: true)
            isEnding = true
        default:
            accept()
            planAfterAnswer(now)
        }
    }

    private mutating func planAfterAnswer(_ now: ContinuousClock.Instant) {
        switch behaviour {
        case .stopReading(let pause): plan(.deafness, now + pause)
        case .ping: plan(.ping, now)
        case .close(let pause): plan(.end, now + pause)
        case .unpublish(let pause): plan(.status(code: "NetStream.Unpublish.Success", isError: false), now + pause)
        case .fail(let pause): plan(.status(code: "NetStream.Publish.Failed", isError: true), now + pause)
        case .reconnect(let address, let pause): plan(.reconnect(to: address), now + pause)
        default: break
        }
    }

    // MARK: Steps

    private mutating func plan(_ step: Step, _ due: ContinuousClock.Instant) { steps.append((due, step)) }

    private mutating func run(_ step: Step, _ now: ContinuousClock.Instant) {
        switch step {
        case .accept: accept()
        case .ping:
            if let waitingSince, now - waitingSince > Self.patience {
                isEnding = true
                return
            }
            waitingSince = waitingSince ?? now
            send(kind: 4, [0, 6] + UInt32(connection.note(\.pongs.count)).bigEndianBytes)
            if case .ping(let pause) = behaviour { plan(.ping, now + pause) }
        case .status(let code, let isError): status(code, isError: isError)
        case .reconnect(let address):
            var fields = Self.fields("NetConnection.Connect.ReconnectRequest")
            if let address { fields["tcUrl"] = .text(address) }
            send("onStatus", 0, [.null, .object(fields)])
        case .deafness: isDeaf = true
        case .end: isEnding = true
        }
    }

    private mutating func accept() {
        connection.note { $0.isAccepted = true }
        if behaviour == .talkative { send(kind: 4, [0, 0, 0, 0, 0, 1]) }
        status("NetStream.Publish.Start")
    }

    // MARK: Output

    private static func fields(_ code: String, isError: Bool = false) -> [String: StubValue] {
        // Programs show one of the two.
        ["level": .text(isError ? "error" : "status"), "code": .text(code), "description": .text("status \(code)")]
    }

    private static func info(_ code: String) -> StubValue { .object(fields(code)) }

    private mutating func status(_ code: String, isError: Bool = false) {
        send("onStatus", 0, [.null, .object(Self.fields(code, isError: isError))], stream: 1)
    }

    private mutating func send(_ name: String, _ transaction: Double, _ values: [StubValue], stream: UInt32 = 0) {
        let body = [StubValue.text(name), .number(transaction)] + values
        send(kind: 20, body.flatMap(\.bytes), lane: 3, stream: stream)
    }

    private mutating func send(kind: UInt8, _ body: [UInt8], lane: UInt8 = 2, stream: UInt32 = 0) {
        output += [lane, 0, 0, 0] + UInt32(body.count).bigEndianBytes.dropFirst() + [kind] + stream.littleEndianBytes
        for start in stride(from: 0, to: body.count, by: chunkSize) {
            if start > 0 { output.append(0xC0 | lane) }
            output += body[start..<min(body.count, start + chunkSize)]
        }
    }
}
