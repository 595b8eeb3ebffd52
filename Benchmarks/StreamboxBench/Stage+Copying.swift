import Foundation
import TestSupport

/// The service and its peer, which copy one RTMP publisher to RTMP targets.
extension Stage {
    /// Starts the service with a group that is copied to every target, and waits until its source listens.
    ///
    /// - Parameters:
    ///   - targets: The keys of each target besides its name, such as `url: "rtmp://host/app/key"`.
    ///   - name: Unique among the services of the stage.
    func copyingService(
        _ product: Product, targets: [String], name: String = "box"
    ) async throws -> (program: TestProcess, port: Int) {
        let port = try FreePort.tcp()
        let list = targets.enumerated().map { "      - { name: t\($0 + 1), \($1) }" }
        let yaml = try folder.write(
            "\(name).yaml",
            """
            runtime: \(folder.path("\(name)-run"))
            state: \(folder.path("\(name)-state"))
            channels:
              - name: main
                sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                groups:
                - name: copy
                  video: copy
                  audio: copy
                  targets:
            \(list.joined(separator: "\n"))
            """)
        let service = try await program(product.streambox, ["run", "--config", yaml])
        try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
        return (service, port)
    }

    /// Starts one nginx-rtmp worker that pushes to every URL, and waits until it listens.
    ///
    /// - Parameter name: Unique among the peers of the stage.
    func copyingPeer(to urls: [String], name: String = "peer") async throws -> (program: TestProcess, port: Int) {
        let port = try FreePort.tcp()
        let base = try folder.makeFolder(name)
        let pushes = urls.map { "push \($0);" }
        let conf = try folder.write(
            "\(name)/nginx.conf",
            """
            daemon off; master_process off; pid \(base)/nginx.pid; error_log \(base)/error.log warn;
            load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
            events { worker_connections 256; }
            rtmp { access_log off; server { listen 127.0.0.1:\(port); chunk_size 4096; application live { live on; \
            \(pushes.joined(separator: " ")) } } }
            """)
        let peer = try await program("nginx", ["-p", base, "-c", conf])
        try await eventually("nginx to listen") { FreePort.isListening(tcp: port) }
        return (peer, port)
    }

    /// Writes a source as an FLV file.
    ///
    /// - Returns: The tags of the file.
    func tags(of source: NumberedSource) async throws -> [FLVFile.Tag] {
        try await source.write(to: folder.path("source.flv"))
        return FLVFile(try folder.read("source.flv")).tags
    }
}
