// The benchmarks use this module too, where there are no tests.
#if canImport(Testing)
    package import Testing

    extension Tag {
        /// Starts an FFmpeg: run with every version in the matrix (`scripts/test --ffmpeg all --only-ffmpeg`).
        @Tag package static var ffmpeg: Self
    }
#endif
