import Testing

@testable import FFmpeg

@Suite struct ProgressParserTests {
    private func parse(_ text: String) -> (blocks: [Progress], others: [String]) {
        var parser = ProgressParser()
        var blocks: [Progress] = []
        var others: [String] = []
        for line in text.split(separator: "\n") {
            switch parser.consume(line) {
            case .progress(let block): blocks.append(block)
            case .part: break
            case .other: others.append(String(line))
            }
        }
        return (blocks, others)
    }

    @Test("a block is read as FFmpeg 5.1 prints it")
    func block() {
        let (blocks, others) = parse(
            """
            frame=151
            fps=30.04
            stream_0_0_q=29.0
            bitrate=2056.3kbits/s
            total_size=1293440
            out_time_us=5032000
            out_time_ms=5032000
            out_time=00:00:05.032000
            dup_frames=1
            drop_frames=2
            speed=   1x
            progress=continue
            """)
        #expect(others.isEmpty)
        var wanted = Progress()
        wanted.frame = 151
        wanted.fps = 30.04
        wanted.bitrate = 2_056_300
        wanted.totalSize = 1_293_440
        wanted.outTime = 5_032_000
        wanted.duplicated = 1
        wanted.dropped = 2
        wanted.speed = 1
        #expect(blocks == [wanted])
    }

    @Test("N/A, too large and invalid values empty a figure, and not the block")
    func nonsense() {
        let (blocks, _) = parse(
            """
            frame=99999999999999999999999
            fps=nan
            bitrate=N/A
            total_size=-5
            out_time_us=-9223372036854775807
            speed=N/A
            dup_frames=
            drop_frames=one
            progress=end
            """)
        #expect(blocks.count == 1)
        #expect(blocks[0].frame == nil && blocks[0].fps == nil && blocks[0].bitrate == nil)
        #expect(blocks[0].totalSize == nil && blocks[0].speed == nil && blocks[0].duplicated == nil)
        #expect(blocks[0].isLast)
    }

    @Test("log messages between the lines of a block stay messages")
    func mixed() {
        let (blocks, others) = parse(
            """
            frame=1
            [h264 @ 0x55d1] [error] error while decoding MB 3 4, bytestream -5
            fps=0.00
            [libx264 @ 0x1] [warning] profile=high is odd
            progress=continue
            progress=maybe
            nonsense=3
            """)
        #expect(blocks.count == 1 && blocks[0].frame == 1)
        #expect(others.count == 4)
    }
}
