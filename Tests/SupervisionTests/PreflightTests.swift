import BoxConfiguration
import Glibc
import TestSupport
import Testing

@testable import Supervision

@Suite struct PreflightTests {
    private func context(_ source: SourceKind) -> BoxConfiguration {
        BoxConfiguration(channels: [
            .init(name: "main", sources: [.init(kind: source, position: 0)], groups: [GroupConfiguration(name: "hd")])
        ])
    }

    private func problem(_ configuration: BoxConfiguration) -> String? {
        do {
            let notices = try Preflight(configuration).check()
            return notices.isEmpty ? nil : "\(notices)"
        } catch {
            return error.description
        }
    }

    private func problem(ofFolder path: String) -> String? {
        do {
            try Folder.make(path, for: "target archive")
            return nil
        } catch {
            return error.description
        }
    }

    /// A socket bound to a port that the kernel chose.
    private func bound(_ type: __socket_type) throws -> (descriptor: CInt, port: Int) {
        let descriptor = socket(AF_INET, CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let done = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(done)
        if type == SOCK_STREAM { listen(descriptor, 1) }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    @Test("a control socket's folder that others own or may write to is refused")
    func ownFolder() throws {
        let folder = try TemporaryFolder()
        func problem(_ path: String) -> String? {
            do throws(StartError) {
                try Folder.make(path, mode: 0o700, isOwn: true, for: "the service")
                return nil
            } catch {
                return error.description
            }
        }
        let path = try folder.makeFolder("run")
        for (mode, isRight) in [(0o700, true), (0o755, true), (0o775, false), (0o777, false), (0o1777, false)]
            as [(UInt32, Bool)]
        {
            chmod(path, mode)
            #expect(problem(path)?.contains("run: chmod go-w \(path)") == (isRight ? nil : true))
        }
        chmod(path, 0o700)
        // Only root can give a folder to another user.
        if geteuid() == 0 {
            chown(path, 65534, 65534)
            #expect(problem(path)?.contains("belongs to user number 65534") == true)
        }
    }

    private static let portInUse = "another program uses that port; close it, or set another port"

    @Test("a port in use is an error with its source and channel")
    func portInUse() throws {
        let (tcp, tcpPort) = try bound(SOCK_STREAM)
        let (udp, udpPort) = try bound(SOCK_DGRAM)
        defer {
            close(tcp)
            close(udp)
        }
        let rtmp = problem(context(.rtmp(.init(listen: .init(host: "127.0.0.1", port: tcpPort)))))
        #expect(rtmp == "rtmp-0 of channel main cannot listen on 127.0.0.1:\(tcpPort): \(Self.portInUse)")
        let srt = problem(context(.srt(.init(listen: .init(host: "127.0.0.1", port: udpPort)))))
        #expect(srt == "srt-0 of channel main cannot listen on 127.0.0.1:\(udpPort): \(Self.portInUse)")
    }

    @Test("ports that are free stay free after the check")
    func portsFree() throws {
        let tcp = context(.rtmp(.init(listen: .init(host: "127.0.0.1", port: try FreePort.tcp()))))
        let udp = context(.srt(.init(listen: .init(host: "127.0.0.1", port: try FreePort.udp()))))
        for _ in 0..<2 {
            #expect(problem(tcp) == nil)
            #expect(problem(udp) == nil)
        }
    }

    @Test("a foreign address is a notice, and does not prevent the start")
    func foreignAddress() throws {
        // 192.0.2.0/24 is for documentation: no machine has it.
        let notices = try Preflight(context(.rtmp(.init(listen: .init(host: "192.0.2.1", port: 1935))))).check()
        #expect(
            notices == [
                "rtmp-0 of channel main cannot listen on 192.0.2.1:1935 yet: this machine does not have that address"
            ])
    }

    @Test("a recording's folder is created with its parents, and left empty")
    func folderMade() throws {
        let folder = try TemporaryFolder()
        #expect(problem(ofFolder: folder.path("a/b/c")) == nil)
        #expect(folder.names(in: "a/b") == ["c"])
        #expect(folder.names(in: "a/b/c") == [])
    }

    @Test("a file in place of the folder or a parent is an error")
    func fileInTheWay() throws {
        let folder = try TemporaryFolder()
        try folder.write("file", "")
        #expect(
            problem(ofFolder: folder.path("file"))
                == "target archive needs the folder \(folder.path("file")), but a file has that name; remove it, or "
                + "set another folder")
        #expect(
            problem(ofFolder: folder.path("file/below"))
                == "target archive cannot create the folder \(folder.path("file/below")): Not a directory; "
                + "create it and let the service's user write to it")
    }

    @Test("a folder that accepts no files is an error")
    func unwritable() {
        // /proc accepts no files, not even from root.
        #expect(
            problem(ofFolder: "/proc/self")?.hasPrefix("target archive cannot write to the folder /proc/self: ") == true
        )
        #expect(
            problem(ofFolder: "/proc/streambox")?.hasPrefix("target archive cannot create the folder /proc/streambox: ")
                == true)
    }
}
