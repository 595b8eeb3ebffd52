/// The secret files of a service.
public enum SecretFiles {
    /// Removes those that a service left in its folder when it was killed; to be called before the first process starts.
    public static func removeLeftovers(in folder: String) { SecretFileStore.removeLeftovers(in: folder) }
}
