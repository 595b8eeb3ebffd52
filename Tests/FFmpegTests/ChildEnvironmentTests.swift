import Testing

@testable import FFmpeg

@Suite struct ChildEnvironmentTests {
    @Test("a child gets the variables of drivers, and no secrets")
    func reduced() {
        let child = ChildEnvironment.reduced(
            [
                "PATH": "/bin", "LIBVA_DRIVER_NAME": "iHD", "UMOCKDEV_DIR": "/x", "LD_PRELOAD": "y.so", "LANG": "de_DE",
                "STUDIO_PASS": "secret", "CREDENTIALS_DIRECTORY": "/run/credentials", "NOTIFY_SOCKET": "/run/s",
                "FFREPORT": "file=x",
            ], adding: ["TZ": "UTC"])
        #expect(
            child == [
                "PATH": "/bin", "LIBVA_DRIVER_NAME": "iHD", "UMOCKDEV_DIR": "/x", "LD_PRELOAD": "y.so", "LANG": "C",
                "LC_ALL": "C", "AV_LOG_FORCE_NOCOLOR": "1", "TZ": "UTC",
            ])
    }
}
