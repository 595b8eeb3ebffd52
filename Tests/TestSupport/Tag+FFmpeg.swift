// The benchmarks use this module too, where there are no tests.
#if canImport(Testing)
    public import Testing

    extension Tag {
        /// Starts an FFmpeg: run with every version in the matrix (`scripts/test --ffmpeg all --only-ffmpeg`).
        @Tag public static var ffmpeg: Self
    }
#endif
