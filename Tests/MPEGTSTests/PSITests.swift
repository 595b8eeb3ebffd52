import TestSupport
import Testing

@testable import MPEGTS

@Suite struct PSITests {
    private func tables(_ program: Program, version: UInt8 = 3) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 376)
        PSI.write(program, version: version, patContinuity: 5, pmtContinuity: 9, to: &bytes)
        return bytes
    }

    private func read(_ bytes: [UInt8]) -> Program? {
        var parser = UnitParser()
        _ = parser.units([bytes])
        return parser.program
    }

    @Test("written tables are read back as the same program")
    func roundTrip() {
        for program in [
            Program(video: .init(pid: 0x100, type: .h264), audio: .init(pid: 0x101, type: .aac)),
            Program(video: .init(pid: 0x100, type: .hevc), audio: nil),
        ] {
            #expect(read(tables(program)) == program)
        }
    }

    @Test("tables with a wrong checksum or for later are ignored")
    func refused() {
        let program = Program(video: .init(pid: 0x100, type: .h264), audio: nil)
        var broken = tables(program)
        broken[188 + 20] ^= 1
        #expect(read(broken) == nil)
        var later = tables(program)
        later[188 + 5 + 5] &= 0xFE
        let length = 3 + Int(later[188 + 7])
        let crc = TransportBytes.crc(later[(188 + 5)..<(188 + 5 + length - 4)])
        for index in 0..<4 { later[188 + 5 + length - 4 + index] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * index)) }
        #expect(read(later) == nil)
    }

    @Test("a section is assembled wherever it begins and however it is split")
    func sections() throws {
        let bytes = tables(Program(video: .init(pid: 0x100, type: .h264), audio: .init(pid: 0x101, type: .aac)))
        let length = 3 + Int(bytes[188 + 7])
        let section = Array(bytes[(188 + 5)..<(188 + 5 + length)])
        for split in 1..<section.count {
            var assembler = SectionAssembler()
            var found: [[UInt8]] = []
            let take = { (pointer: UnsafePointer<UInt8>, count: Int) in
                found.append(Array(UnsafeBufferPointer(start: pointer, count: count)))
            }
            // Two sections in a row, the second of them split over two packets.
            let first = [0] + section + section[..<split]
            let second = Array(section[split...]) + [0xFF, 0xFF]
            assembler.take(first, count: first.count, startsUnit: true, whole: take)
            assembler.take(second, count: second.count, startsUnit: false, whole: take)
            #expect(found == [section, section], "split at \(split)")
        }
    }

    @Test("hostile bytes -> the assembler keeps at most one section and a packet")
    func bound() {
        withSeededRandomNow { random in
            var assembler = SectionAssembler()
            for _ in 0..<20_000 {
                let payload = (0..<184).map { _ in UInt8.random(in: 0...255, using: &random) }
                assembler.take(payload, count: 184, startsUnit: Int.random(in: 0..<50, using: &random) == 0) {
                    _, count in
                    #expect(count <= 4098)
                }
                #expect(assembler.count <= 4098 + 184, "\(random.hint)")
            }
        }
    }
}

/// Runs `body` with seeded random numbers, synchronously.
func withSeededRandomNow(_ body: (inout SeededRandom) throws -> Void) rethrows {
    var random = SeededRandom()
    try body(&random)
}
