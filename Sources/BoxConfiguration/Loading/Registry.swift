/// The names, listeners and folders that a file may use only once, with their locations.
struct Registry {
    enum Kind: String {
        case channel, group, target
    }

    enum Transport: String {
        case tcp = "TCP"
        case udp = "UDP"
    }

    struct Listener {
        let address: SocketAddress
        let transport: Transport
        /// The owner in messages: `the rtmp source`.
        let owner: String
        let location: FileLocation
    }

    private var names: [String: FileLocation] = [:]
    private var listeners: [Listener] = []
    private var folders: [String: FileLocation] = [:]

    /// Claims a name. Returns the location that already has it, if there is one.
    mutating func claim(_ name: String, kind: Kind, at location: FileLocation) -> FileLocation? {
        let key = "\(kind.rawValue)/\(name)"
        if let other = names[key] { return other }
        names[key] = location
        return nil
    }

    /// Claims a port. Returns the listener that already has it, if there is one.
    mutating func claim(_ listener: Listener) -> Listener? {
        if let other = listeners.first(where: {
            $0.transport == listener.transport && $0.address.overlaps(listener.address)
        }) {
            return other
        }
        listeners.append(listener)
        return nil
    }

    /// Claims a folder. Returns the location that already records into it, if there is one.
    mutating func claim(folder: String, at location: FileLocation) -> FileLocation? {
        let parts = folder.split(separator: "/").filter { $0 != "." }
        let key = (folder.first == "/" ? "/" : "") + parts.joined(separator: "/")
        if let other = folders[key] { return other }
        folders[key] = location
        return nil
    }
}

extension ConfigurationReader {
    func claimListener(
        _ address: SocketAddress, _ transport: Registry.Transport, owner: String, at location: FileLocation
    ) {
        let listener = Registry.Listener(address: address, transport: transport, owner: owner, location: location)
        guard let other = registry.claim(listener) else { return }
        let meeting = other.address == address ? "" : ", which covers it"
        error(
            location,
            "\(owner) listens on \(address), but \(other.owner) in line \(other.location.line) already listens on "
                + "\(other.address)\(meeting) (\(transport.rawValue)); give one of them another port")
    }
}
