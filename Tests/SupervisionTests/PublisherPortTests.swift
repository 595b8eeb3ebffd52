import BoxConfiguration
import RTMPIngest
import Status
import SystemSupport
import Testing

@testable import Supervision

/// A source and its RTMP port, without processes.
@Suite struct PublisherPortTests {
    @Test("a publisher comes just while its source becomes wanted -> its stream is taken")
    func comesWhileWanted() async throws {
        let process = SlowProcess()
        let (statistics, port) = Self.port(process)
        #expect(statistics.now.sourceState(isListener: true) == .waiting)
        async let wanted: Void = BlockingIO.run { port.want(true) }
        await process.slow.interrupt { port.handle(.began(address: "127.0.0.1")) }
        await wanted
        #expect(process.slow.all == [.want(false), .want(true)])
        // A publisher is there, but sends no video.
        #expect(statistics.now.sourceState(isListener: true) == .connecting)
    }

    @Test("unusable messages of a publisher -> a note until its video arrives or it leaves")
    func unusable() {
        let (statistics, port) = Self.port(HeardProcess())
        let advice = "its messages cannot be used (empty unit); restart the stream in the encoder"
        for isEnded in [false, true] {
            port.handle(.began(address: "127.0.0.1"))
            #expect(statistics.now.notes[.sender] == nil)
            port.handle(.faults(["empty unit": 30], advice: advice))
            #expect(statistics.now.notes[.sender] == advice)
            if isEnded { port.handle(.ended(.left)) } else { port.delivers() }
            #expect(statistics.now.notes[.sender] == nil)
            // One whose video arrives, and one that has left.
            port.handle(.faults(["empty unit": 300], advice: isEnded ? nil : advice))
            #expect(statistics.now.notes[.sender] == nil)
            if !isEnded { port.handle(.ended(.left)) }
        }
    }

    @Test("a publisher is rejected for its codec -> a note until another delivers or leaves")
    func turnedAway() {
        let (statistics, port) = Self.port(HeardProcess())
        let why = "its video is AV1, which cannot be used; set the encoder to H.264 or HEVC"
        for delivers in [false, true] {
            port.handle(.began(address: "127.0.0.1"))
            port.handle(.ended(.rejected(why)))
            #expect(statistics.now.sourceState(isListener: true) == .waiting)
            #expect(statistics.now.notes[.sender] == "the last publisher was rejected: \(why)")
            port.handle(.began(address: "127.0.0.1"))
            #expect(statistics.now.notes[.sender] != nil)
            if delivers { port.delivers() } else { port.handle(.ended(.left)) }
            #expect(statistics.now.notes[.sender] == nil)
        }
    }

    private static func port(_ process: any Supervised) -> (ProcessStatistics, PublisherPort) {
        let source = RTMPSource(listen: SocketAddress(host: "127.0.0.1", port: 1935), app: "live")
        let statistics = ProcessStatistics()
        statistics.stateChanged(.starting, wanted: true, starts: 1)
        return (
            statistics,
            PublisherPort(
                source, process: process, context: .none(), statistics: statistics, logger: ServiceContext.silent)
        )
    }
}
