import Foundation

/// An HTTP server on 127.0.0.1 that gives files as fast as they are taken, played by nginx. Ends with its stage.
package struct FileServer: Sendable {
    package let port: Int
    private let folder: String
    private let stage: Stage

    /// - Parameters:
    ///   - stage: The files are those of its folder. One below `moved/` is a redirection to the same file, without TLS.
    ///   - password: It asks the user `viewer` for this; `nil` asks nobody.
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
                # A playlist that only its type and its text tell.
                location = /live { default_type application/vnd.apple.mpegurl; }
              }
            }
            """)
    }

    package func url(_ file: String) -> String { "http://127.0.0.1:\(port)/\(file)" }

    /// Every request so far: its address, and its `Authorization` or `-`.
    package func requests() throws -> [String] {
        let log = try String(contentsOfFile: "\(folder)/requests.log", encoding: .utf8)
        return log.split(whereSeparator: \.isNewline).map(String.init)
    }

    /// Begins to listen; until then connections are refused.
    package func start() async throws {
        _ = try await stage.program("nginx", ["-p", folder, "-c", "\(folder)/nginx.conf"])
        try await eventually("the file server to listen on \(port)") { FreePort.isListening(tcp: port) }
    }
}
