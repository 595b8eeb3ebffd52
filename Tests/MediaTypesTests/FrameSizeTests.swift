import MediaTypes
import Testing

@Suite struct FrameSizeTests {
    @Test("a size is written as FFmpeg reads it")
    func description() {
        #expect("\(FrameSize(width: 1920, height: 1080))" == "1920x1080")
    }
}
