import Testing

@testable import FFmpeg

/// Lines as FFmpeg 5.1.9, 7.1.5 and 9.0.2 print them in a healthy run.
@Suite struct FFmpegNoiseTests {
    @Test(
        "a warning that an operator cannot act on is left out",
        arguments: [
            """
            [Parsed_null_0 @ 0x55] [warning] Changing video frame properties on the fly is not supported by all \
            filters.
            """,
            "[swscaler @ 0x55] [warning] deprecated pixel format used, make sure you did set range correctly",
            """
            [swscaler @ 0x55] [swscaler @ 0x56] [warning] deprecated pixel format used, make sure you did set \
            range correctly
            """,
            "[aist#0:1/pcm_s16le @ 0x55] [warning] Guessed Channel Layout: mono",
            "[warning] Guessed Channel Layout for Input Stream #0.1 : mono",
            """
            [out#0/flv @ 0x55] [warning] Multiple -r options specified for stream 0, only the last option '-r 60' \
            will be used.
            """,
            """
            [mpegts @ 0x55] [warning] Could not find codec parameters for stream 1 (Audio: aac ([15][0][0][0] / \
            0x000F), 0 channels): unspecified sample format
            """,
            "[out#0/mpegts @ 0x5] [warning] Codec AVOption b:a (set bitrate (in bits/s)) has not been used for any",
            "[h264_vaapi @ 0x55] [warning] Driver does not support some wanted packed headers (wanted 0xd, found 0).",
            "[in#0/mov @ 0x55] [warning] Resumed reading at pts 1.240 with rate 1.000 after a lag of 0.512s",
            "[warning] Consider increasing the value for the 'analyzeduration' (1) and 'probesize' (100000) options",
            "[mpegts @ 0x55] [warning] frame size not set",
            "[in#0/mov @ 0x55] [warning] Resumed reading at pts 1.240 with rate 1.000 after a lag of 0.512s",
        ])
    func noise(line: String) {
        #expect(FFmpegNoise.contains(LogLine(parsing: line)))
    }

    @Test(
        "every other message is passed on",
        arguments: [
            "[warning] -vsync is deprecated. Use -fps_mode", "[error] Error while opening encoder",
            "[swscaler @ 0x55] [error] bad slice",
            """
            [mpegts @ 0x55] [warning] Could not find codec parameters for stream 0 (Video: h264, none): \
            unspecified size
            """,
        ])
    func words(line: String) {
        #expect(!FFmpegNoise.contains(LogLine(parsing: line)))
    }
}
