import Foundation

/// An nginx on 127.0.0.1 that serves files by HTTP as fast as they are read. Ends with its stage.
package struct FileServer: Sendable {
    package let port: Int
    private let folder: String
    private let stage: Stage

    /// - Parameters:
    ///   - stage: The stage whose folder has the files. A path below `moved/` redirects to the same file, without TLS.
    ///   - password: The password of the user `viewer`; `nil` for a server without a password.
    package init(_ stage: Stage, password: String? = nil) throws {
        self.stage = stage
        port = try FreePort.tcp()
        let base = "files-\(port)"
        folder = try stage.folder.makeFolder(base)
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " ")
        var authorization = ""
        if let password {
            let users = try stage.folder.write("\(base)/users", "viewer:{PLAIN}\(password)\n", mode: 0o644)
            authorization = "auth_basic files; auth_basic_user_file \(users);"
        }
        try stage.folder.write(
            "\(base)/nginx.conf",
            """
            daemon off;
            master_process off;
            pid \(folder)/nginx.pid;
            error_log \(folder)/error.log info;
            events { worker_connections 64; }
            http {
              log_format request '$request_uri $http_authorization';
              access_log \(folder)/requests.log request;
              types { application/vnd.apple.mpegurl m3u8; }
              \(temporary)
              server {
                listen 127.0.0.1:\(port);
                root \(stage.folder.path);
                \(authorization)
                rewrite ^/moved/(.*)$ http://127.0.0.1:\(port)/$1 redirect;
                # A playlist without a suffix: only its type and its text show what it is.
                location = /live { default_type application/vnd.apple.mpegurl; }
              }
            }
            """)
    }

    package func url(_ file: String) -> String { "http://127.0.0.1:\(port)/\(file)" }

    /// Every request so far: its path, and its `Authorization` or `-`.
    package func requests() throws -> [String] {
        let log = try String(contentsOfFile: "\(folder)/requests.log", encoding: .utf8)
        return log.split(whereSeparator: \.isNewline).map(String.init)
    }

    /// Starts the server. Before, its port refuses connections.
    package func start() async throws {
        _ = try await stage.program("nginx", ["-p", folder, "-c", "\(folder)/nginx.conf"])
        try await eventually("the file server to listen on \(port)") { FreePort.isListening(tcp: port) }
    }
}
