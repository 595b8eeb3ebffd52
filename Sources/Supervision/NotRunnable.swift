/// Something of the configuration that this version does not run.
public struct NotRunnable: Error, CustomStringConvertible {
    public var what: String
    public var description: String { what }
}
