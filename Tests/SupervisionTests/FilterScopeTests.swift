import BoxConfiguration
import EncoderSelection
import FFmpeg
import MediaTypes
import Testing

@testable import Supervision

/// Which frames need an encoder of their own.
@Suite struct FilterScopeTests {
    private func frames(_ width: Int, _ height: Int, _ pixel: PixelAspect = .square, isInterlaced: Bool = false)
        -> ArrivingFrames
    {
        ArrivingFrames(size: FrameSize(width: width, height: height), pixel: pixel, isInterlaced: isInterlaced)
    }

    private func scope(
        _ frames: ArrivingFrames?, fit: PictureFit = .pad, deinterlace: DeinterlaceMode = .auto,
        scalesOnGPU: Bool = false
    ) -> FilterScope {
        FilterScope(
            VideoEncoding(size: FrameSize(width: 1280, height: 720), fit: fit, deinterlace: deinterlace), size: nil,
            frames: frames,
            scalesOnGPU: scalesOnGPU)
    }

    private let anamorphic = PixelAspect(width: 64, height: 45)

    @Test("frames of the same shape keep the encoder, unless a GPU scales them")
    func sameShape() {
        #expect(scope(frames(1920, 1080)).suits(frames(640, 360)))
        #expect(scope(frames(1920, 1080)).suits(frames(720, 576, anamorphic)))
        #expect(scope(nil).suits(frames(640, 360)))
        #expect(!scope(frames(1920, 1080), scalesOnGPU: true).suits(frames(640, 360)))
        #expect(scope(frames(1920, 1080), scalesOnGPU: true).suits(frames(1920, 1080)))
    }

    @Test("frames of another shape need an encoder that pads, which takes every size")
    func otherShape() {
        #expect(!scope(frames(1920, 1080)).suits(frames(1080, 1920)))
        #expect(!scope(nil).suits(frames(1080, 1920)))
        #expect(
            scope(frames(1080, 1920)).suits(frames(720, 720)) && scope(frames(1080, 1920)).suits(frames(1920, 1080)))
        #expect(!scope(frames(1080, 1920)).suits(frames(720, 576, anamorphic)))
        #expect(scope(frames(1920, 1080), fit: .stretch).suits(frames(1080, 1920)))
        #expect(!scope(frames(1080, 1920), fit: .crop).suits(frames(720, 1280)))
        #expect(scope(frames(1080, 1920), fit: .crop).suits(frames(1080, 1920)))
    }

    @Test("interlaced frames need an encoder that deinterlaces; progressive ones keep it")
    func interlaced() {
        let interlaced = frames(1920, 1080, isInterlaced: true)
        #expect(!scope(frames(1920, 1080)).suits(interlaced) && !scope(nil).suits(interlaced))
        #expect(scope(frames(1920, 1080), deinterlace: .off).suits(interlaced))
        #expect(scope(interlaced).suits(frames(1920, 1080)) && !scope(interlaced).suits(frames(1280, 720)))
        // HEVC has no marks, so progressive frames would be deinterlaced too.
        var unmarked = interlaced
        unmarked.areMarked = false
        #expect(!scope(frames(1920, 1080)).suits(unmarked) && !scope(interlaced).suits(unmarked))
        #expect(scope(unmarked).suits(unmarked) && !scope(unmarked).suits(frames(1920, 1080)))
        #expect(!scope(unmarked).suits(interlaced) && scope(unmarked, deinterlace: .off).suits(frames(1920, 1080)))
    }
}
