import Configuration
import Ingest
import Status
import Testing

@testable import Supervision

/// A source and its RTMP port, with processes that are none.
@Suite struct PublisherPortTests {
    @Test("a publisher that comes while its source becomes wanted is taken, though that is told slowly")
    func comesWhileWanted() async throws {
        let (ledger, port) = Self.port()
        let process = SlowProcess()
        #expect(ledger.now.sourceState(isListener: true) == .waiting)
        async let wanted: Void = Offload.run { port.want(true, process) }
        await process.slow.interrupt { port.handle(.began(address: "127.0.0.1"), process) }
        await wanted
        #expect(process.slow.all == [.want(false), .want(true)])
        // A publisher is there, and no picture of it.
        #expect(ledger.now.sourceState(isListener: true) == .connecting)
    }

    @Test("a publisher's messages cannot be used -> a note, until its video comes or it has left")
    func unusable() {
        let (ledger, port) = Self.port()
        let process = HeardProcess()
        let advice = "its messages cannot be used (empty unit); restart the stream in the encoder"
        for isEnded in [false, true] {
            port.handle(.began(address: "127.0.0.1"), process)
            #expect(ledger.now.notes[.sender] == nil)
            port.handle(.faults(["empty unit": 30], advice: advice), process)
            #expect(ledger.now.notes[.sender] == advice)
            if isEnded { port.handle(.ended(.left), process) } else { port.delivers() }
            #expect(ledger.now.notes[.sender] == nil)
            // One whose video comes, and one that has left.
            port.handle(.faults(["empty unit": 300], advice: isEnded ? nil : advice), process)
            #expect(ledger.now.notes[.sender] == nil)
            if !isEnded { port.handle(.ended(.left), process) }
        }
    }

    @Test("a publisher is turned away for its codec -> a note, until another one delivers or leaves")
    func turnedAway() {
        let (ledger, port) = Self.port()
        let process = HeardProcess()
        let why = "its video is AV1, which cannot be used; set the encoder to H.264 or HEVC"
        for delivers in [false, true] {
            port.handle(.began(address: "127.0.0.1"), process)
            port.handle(.ended(.rejected(why)), process)
            #expect(ledger.now.sourceState(isListener: true) == .waiting)
            #expect(ledger.now.notes[.sender] == "the last publisher was turned away: \(why)")
            port.handle(.began(address: "127.0.0.1"), process)
            #expect(ledger.now.notes[.sender] != nil)
            if delivers { port.delivers() } else { port.handle(.ended(.left), process) }
            #expect(ledger.now.notes[.sender] == nil)
        }
    }

    private static func port() -> (ProcessLedger, PublisherPort) {
        let source = RTMPSource(listen: SocketAddress(host: "127.0.0.1", port: 1935), app: "live")
        let ledger = ProcessLedger()
        ledger.stands(.starting, wanted: true, starts: 1)
        return (ledger, PublisherPort(source, box: .none(), ledger: ledger, logger: Box.silent))
    }
}
