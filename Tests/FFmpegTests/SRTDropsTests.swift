import FFmpeg
import Testing

/// libsrt's messages about dropped packets.
@Suite struct SRTDropsTests {
    @Test("the packets of a line from libsrt are counted, and no others")
    func packets() {
        func count(_ text: String, _ level: LogLine.Level? = nil) -> Int {
            SRTDrops.packets(in: LogLine(level: level, text: text))
        }
        let line =
            """
            02:26:39.591403/SRT:TsbPd!W:SRT.br: @853962848:RCV-DROPPED 16 packet(s). Packet seqno %717136270 \
            delayed for 988.922 ms
            """
        #expect(count(line) == 16)
        #expect(count("02:26:39.591403/SRT:TsbPd!W:SRT.br: @853962848:RCV-DROPPED packet(s)") == 0)
        #expect(count("[mpegts @ 0x55] Packet corrupt (stream = 0, dts = 1).") == 0)
        // A title that a sender gave its stream.
        #expect(count("title : RCV-DROPPED 9 packet(s)", .info) == 0)
    }
}
