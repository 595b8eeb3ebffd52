import Subprocess

/// The part of the service's environment that a child may see.
package enum ChildEnvironment {
    /// An allow list, because the service's own environment may hold secrets (`{ env: NAME }`) and credentials.
    private static let names: Set<String> = [
        "PATH", "HOME", "TMPDIR", "TZ", "XDG_RUNTIME_DIR", "DISPLAY",
        "LD_LIBRARY_PATH", "LD_PRELOAD", "SSL_CERT_FILE", "SSL_CERT_DIR", "INTEL_MEDIA_RUNTIME",
    ]
    /// Variables of drivers, and of their simulations in tests.
    private static let prefixes = [
        "LIBVA_", "CUDA_", "NVIDIA_", "NV_", "MESA_", "DRI_", "VDPAU_", "ONEVPL_", "MFX_", "ALSA_", "UMOCKDEV_",
        "SOFTVA_", "SOFTNV_",
    ]

    /// The reduced environment, with FFmpeg's messages in English and without colour.
    package static func reduced(_ environment: [String: String], adding: [String: String] = [:]) -> [String: String] {
        var kept = environment.filter { name, _ in passesOn(name) }
        kept["LANG"] = "C"
        kept["LC_ALL"] = "C"
        kept["AV_LOG_FORCE_NOCOLOR"] = "1"
        return kept.merging(adding) { _, new in new }
    }

    /// Whether children see the variable. A secret must not be in such a variable.
    package static func passesOn(_ name: String) -> Bool {
        names.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }

    static func subprocess(_ environment: [String: String]) -> Environment {
        .custom(
            Dictionary(
                environment.compactMap { name, value in
                    Environment.Key(rawValue: name).map { ($0, value) }
                }, uniquingKeysWith: { first, _ in first }))
    }
}
