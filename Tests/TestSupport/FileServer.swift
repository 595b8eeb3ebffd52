import Foundation

/// An HTTP server on 127.0.0.1 that gives files as fast as they are taken, played by nginx. Ends with its stage.
public struct FileServer: Sendable {
    public let port: Int
    private let folder: String
    private let stage: Stage

    /// - Parameter stage: The files are those of its folder.
    public init(_ stage: Stage) throws {
        self.stage = stage
        port = try FreePort.tcp()
        let base = "files-\(port)"
        folder = try stage.folder.makeFolder(base)
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " ")
        try stage.folder.write(
            "\(base)/nginx.conf",
            """
            daemon off;
            master_process off;
            pid \(folder)/nginx.pid;
            error_log \(folder)/error.log info;
            events { worker_connections 64; }
            http {
              access_log off;
              \(temporary)
              server {
                listen 127.0.0.1:\(port);
                root \(stage.folder.path);
              }
            }
            """)
    }

    public func url(_ file: String) -> String { "http://127.0.0.1:\(port)/\(file)" }

    /// Begins to listen; until then connections are refused.
    public func start() async throws {
        _ = try await stage.program("nginx", ["-p", folder, "-c", "\(folder)/nginx.conf"])
        try await eventually("the file server to listen on \(port)") { FreePort.isListening(tcp: port) }
    }
}
