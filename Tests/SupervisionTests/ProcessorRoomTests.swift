import Glibc
import Testing

@testable import Supervision

/// Whether the processors have room for a better preset.
@Suite struct ProcessorRoomTests {
    private func sample(pid: Int32 = 7, idle: UInt64, used: UInt64, total: UInt64) -> ProcessorRoom.Sample {
        .init(pid: pid, idle: idle, total: total, used: used)
    }

    @Test(
        "there is room if a little more is idle than the encoder uses",
        arguments: [
            (0, 100, false), (100, 100, false), (119, 100, false), (120, 100, true), (1900, 100, true), (0, 0, true),
        ] as [(UInt64, UInt64, Bool)])
    func room(idle: UInt64, used: UInt64, isThere: Bool) {
        let first = sample(idle: 1000, used: 500, total: 5000)
        let last = sample(idle: 1000 + idle, used: 500 + used, total: 7000)
        #expect(ProcessorRoom.isThere(from: first, to: last) == isThere)
    }

    @Test("samples of two processes, one moment or lower counters give no answer")
    func unknown() {
        let first = sample(idle: 1000, used: 500, total: 5000)
        #expect(ProcessorRoom.isThere(from: nil, to: first) == nil)
        #expect(ProcessorRoom.isThere(from: first, to: nil) == nil)
        #expect(ProcessorRoom.isThere(from: first, to: first) == nil)
        #expect(ProcessorRoom.isThere(from: first, to: sample(pid: 8, idle: 2000, used: 600, total: 6000)) == nil)
        #expect(ProcessorRoom.isThere(from: first, to: sample(idle: 900, used: 600, total: 6000)) == nil)
    }

    @Test("the kernel's counts are read, whatever the program's name contains")
    func figures() {
        let machine = "cpu  10 1 20 300 4 0 5 6 7 8\ncpu0 1 2 3 4 5\n"
        #expect(ProcessorRoom.times(inStat: machine).map { $0.idle == 304 && $0.total == 346 } == true)
        #expect(ProcessorRoom.times(inStat: "intr 1 2 3 4 5 6\n") == nil)
        let process = "42 (ff) mpeg (1) R 1 42 42 0 -1 4194304 100 0 0 0 250 13 0 0 20 0 9 0 12345\n"
        #expect(ProcessorRoom.used(inProcessStat: process) == 263)
        #expect(ProcessorRoom.used(inProcessStat: "42 (ff") == nil)
    }

    @Test("this process has a sample, a process that does not exist has none")
    func sampling() {
        #expect(ProcessorRoom.sample(of: getpid()).map { $0.total > $0.idle && $0.pid == getpid() } == true)
        #expect(ProcessorRoom.sample(of: 0) == nil)
    }
}
