// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "streambox",
    products: [
        .executable(name: "streambox", targets: ["streambox"]),
        .library(name: "StreamboxFrames", targets: ["StreamboxFrames"]),
    ],
    // Each minimum is the version that the project is built and tested with. Package.resolved is not committed: it pins
    // commits besides versions, and the commit of a version differs between mirrors of a repository. `streambox
    // --version --verbose` prints the versions that a build used.
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // The modules, each below those that may import it: docs/architecture.md lists them in a table.
        .target(name: "MediaTypes", swiftSettings: settings),
        .target(
            name: "MPEGTS",
            dependencies: ["MediaTypes", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: settings),
        .target(
            name: "SystemSupport",
            dependencies: [.product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: settings),
        .target(name: "Redaction", swiftSettings: settings),
        .target(
            name: "BoxConfiguration",
            dependencies: ["CLibYAML", "MediaTypes", "Redaction"],
            swiftSettings: settings,
            // The static library: a Debian without libyaml runs the program too.
            linkerSettings: [.linkedLibrary(":libyaml.a")]),
        .systemLibrary(name: "CLibYAML", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(name: "RTMP", dependencies: ["MediaTypes", "MPEGTS"], swiftSettings: settings),
        .target(
            name: "FFmpeg",
            dependencies: [
                "CLinux", "MediaTypes", "Redaction",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .systemLibrary(name: "CUdev", pkgConfig: "libudev", providers: [.apt(["libudev-dev"])]),
        .systemLibrary(name: "CDRM", pkgConfig: "libdrm", providers: [.apt(["libdrm-dev"])]),
        .systemLibrary(name: "CVA", pkgConfig: "libva-drm", providers: [.apt(["libva-dev"])]),
        .target(
            name: "CapabilityProbe",
            dependencies: [
                "CDRM", "CLinux", "CUdev", "CVA",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .target(
            name: "EncoderSelection", dependencies: ["BoxConfiguration", "CapabilityProbe", "FFmpeg", "MediaTypes"],
            swiftSettings: settings),
        .target(
            name: "EventLoop", dependencies: ["CLinux", .product(name: "HeapModule", package: "swift-collections")],
            swiftSettings: settings),
        .target(
            name: "DataPath",
            dependencies: [
                "CLinux", "EventLoop", "MediaTypes", "MPEGTS",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .target(
            name: "RTMPIngest",
            dependencies: [
                "CLinux", "DataPath", "EventLoop", "MPEGTS", "RTMP",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .target(
            name: "Supervision",
            dependencies: [
                "BoxConfiguration", "CapabilityProbe", "CLinux", "DataPath", "EncoderSelection", "EventLoop",
                "FFmpeg", "MediaTypes", "MPEGTS", "Redaction", "RTMP", "RTMPIngest", "Status", "SystemSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .target(name: "Status", swiftSettings: settings),
        .target(name: "ServiceManager", swiftSettings: settings),
        .target(
            name: "AcceptBackoff",
            dependencies: [.product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: settings),
        .target(
            name: "Control",
            dependencies: [
                "AcceptBackoff", "Status",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .target(
            name: "StatusServer",
            dependencies: [
                "AcceptBackoff", "Status",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .target(name: "BuildInformation", swiftSettings: settings, plugins: ["BuildInformationPlugin"]),
        .plugin(
            name: "BuildInformationPlugin", capability: .buildTool(), path: "Plugins/BuildInformation"),
        .executableTarget(
            name: "streambox",
            dependencies: [
                "BoxConfiguration", "BuildInformation", "CapabilityProbe", "CLinux", "Control", "EncoderSelection",
                "FFmpeg", "MediaTypes", "Redaction", "ServiceManager", "Status", "StatusServer", "Supervision",
                "SystemSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),

        // For programs that write frames to a `raw` source.
        .target(name: "StreamboxFrames", swiftSettings: settings),
        .executableTarget(
            name: "ColourFrames", dependencies: ["StreamboxFrames"], path: "Examples/ColourFrames",
            swiftSettings: settings),

        .target(name: "AllocationCount", path: "Benchmarks/AllocationCount"),
        .executableTarget(
            name: "StreamboxBench",
            dependencies: [
                "AllocationCount", "LabKit", "MPEGTS", "Status", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/StreamboxBench",
            swiftSettings: settings),

        // Fixtures: real programs such as FFmpeg and nginx-rtmp, and recorded streams.
        .target(
            name: "TestSupport",
            path: "Tests/TestSupport",
            swiftSettings: settings),
        // Simulated devices for the real libudev, libdrm, libva and V4L2.
        .target(name: "LabKit", dependencies: ["TestSupport"], path: "Tests/Lab/LabKit", swiftSettings: settings),
        .executableTarget(
            name: "HotplugWatch", dependencies: ["CapabilityProbe"], path: "Tests/Lab/Watch", swiftSettings: settings),
        .testTarget(
            name: "TestSupportTests", dependencies: ["TestSupport"], swiftSettings: settings),
        .testTarget(name: "MediaTypesTests", dependencies: ["MediaTypes"], swiftSettings: settings),
        .testTarget(
            name: "MPEGTSTests", dependencies: ["MediaTypes", "MPEGTS", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SystemSupportTests", dependencies: ["SystemSupport", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "RedactionTests", dependencies: ["Redaction", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "BoxConfigurationTests", dependencies: ["BoxConfiguration", "MediaTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "FFmpegTests",
            dependencies: ["BoxConfiguration", "EncoderSelection", "FFmpeg", "MediaTypes", "Redaction", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "RTMPTests", dependencies: ["MediaTypes", "MPEGTS", "RTMP", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "RTMPIngestTests",
            dependencies: ["DataPath", "EventLoop", "MPEGTS", "RTMP", "RTMPIngest", "TestSupport"],
            swiftSettings: settings),
        .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "DataPathTests",
            dependencies: ["DataPath", "EventLoop", "MediaTypes", "MPEGTS", "StreamboxFrames", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "StreamboxFramesTests", dependencies: ["StreamboxFrames", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "SupervisionTests",
            dependencies: [
                "BoxConfiguration", "CapabilityProbe", "DataPath", "EncoderSelection", "FFmpeg", "MediaTypes",
                "MPEGTS", "RTMPIngest", "Status", "Supervision", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "CapabilityProbeTests", dependencies: ["CapabilityProbe", "HotplugWatch", "LabKit", "TestSupport"],
            exclude: ["Devices"],
            swiftSettings: settings),
        .testTarget(
            name: "EncoderSelectionTests",
            dependencies: [
                "BoxConfiguration", "CapabilityProbe", "EncoderSelection", "FFmpeg", "MediaTypes", "TestSupport",
            ],
            swiftSettings: settings),
        .testTarget(name: "StatusTests", dependencies: ["Status", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "StatusServerTests",
            dependencies: [
                "AcceptBackoff", "Status", "StatusServer", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ServiceManagerTests", dependencies: ["ServiceManager", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "ControlTests", dependencies: ["Control", "Status", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "StreamboxTests",
            dependencies: [
                "BuildInformation", "ColourFrames", "LabKit", "Redaction", "Status", "streambox", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
    ]
)

// The fuzz targets. The ordinary tests replay their corpora; `scripts/fuzz` builds them as a fuzzer, which brings its
// own `main`.
let fuzzed: [Target.Dependency] = [
    "BoxConfiguration", "Control", "FFmpeg", "MediaTypes", "MPEGTS", "Redaction", "RTMP", "Status", "StatusServer",
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOEmbedded", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
    .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
]
package.targets.append(
    Context.environment["STREAMBOX_FUZZ"] == nil
        ? .testTarget(
            name: "FuzzTests", dependencies: fuzzed, path: "Tests/Fuzz", exclude: ["corpus", "Fuzzer"],
            swiftSettings: settings)
        : .executableTarget(
            name: "Fuzzer", dependencies: fuzzed, path: "Tests/Fuzz", exclude: ["corpus", "Replay"],
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
