package providers

// ObjectKind is what an object is that a provider keeps for its account.
type ObjectKind string

// The kinds of stored objects.
const (
	ObjectFile          ObjectKind = "file"
	ObjectBatch         ObjectKind = "batch"
	ObjectUpload        ObjectKind = "upload"
	ObjectVectorStore   ObjectKind = "vector_store"
	ObjectFileBatch     ObjectKind = "file_batch" // of a vector store
	ObjectResponse      ObjectKind = "response"
	ObjectConversation  ObjectKind = "conversation"
	ObjectContainer     ObjectKind = "container"
	ObjectCachedContent ObjectKind = "cached_content"
)

// Stored says what an endpoint has to do with objects that a provider keeps. An endpoint that has
// no Ask besides is about these alone: it names no model, and goes to the account that keeps them.
type Stored struct {
	// Path follows the route's path, with the endpoint's variables in it ("/{file}/content").
	Path string
	// Names are the variables of the path that name objects of the caller's. What the others name
	// is a part of those, which the upstream finds only in them.
	Names []string
	// Makes are the objects that a good reply tells the client of.
	Makes []Made
	// Deletes is set where the object that Names begins with is gone after a good reply.
	Deletes bool
	// Lists is the kind of objects that the call lists; Page says such a list.
	Lists ObjectKind
	Page  func(dst []byte, p *ObjectPage) []byte
	// Batch says how the provider's batches are read; nil where the call is not about them.
	Batch *Batch
	// Costs is set where the provider bills for what the call begins, and says nowhere how much:
	// a budget cannot hold that.
	Costs bool
	// Binary is set where a good reply is the object's own bytes, none perhaps.
	Binary bool
	// Streams is set where the object can be read as a stream (?stream=true).
	Streams bool
	// Sends and Tells are headers, in lower case, that the call has beside its body: of the client's
	// request, and of a good reply.
	Sends, Tells []string
}

// A Batch says how batches are read: calls of models in a file, one a line, that the provider
// works off by itself.
type Batch struct {
	// Input is the field of the body that names the file of calls.
	Input string
	// Show and Content are the paths of a batch and of a file's bytes, with "{id}" in them.
	Show, Content string
	// Call reads a line of calls: the path that it is for, and its body.
	Call func(line []byte) (path string, body []byte, err error)
	// State says whether a batch, as it is shown, has ended, and names the files of its results.
	State func(batch []byte) (ended bool, results []string)
	// Result gives the reply to the call of one line of results, nil where it was not served.
	Result func(line []byte) (reply []byte)
}

// Made is an object that a reply tells of.
type Made struct {
	ID   string // where its id stands in the reply, as gjson has it
	Kind ObjectKind
	// Within is set where it goes away with the first of Stored.Names.
	Within bool
	// Bytes and Expires are where its size and the Unix time of its end stand, "" nowhere.
	Bytes, Expires string
	// Owed is set where its cost shows only when it has ended.
	Owed bool
	// Event is where the object stands in the first event of a stream, "" where none tells of it.
	Event string
	// Unless is the field of the request that, being false, has nothing kept; "" is none.
	Unless string
}

// ObjectPage is one page of a list of objects, each as its provider shows it.
type ObjectPage struct {
	Objects     [][]byte
	First, Last string // ids
	More        bool
}

// About reports whether the endpoint is about stored objects alone.
func (e *Endpoint) About() bool { return e.Stored != nil && e.Ask == nil }

// Binary reports whether a good reply is an object's own bytes.
func (e *Endpoint) Binary() bool { return e.Stored != nil && e.Stored.Binary }

// Bytes is a call for an object's own bytes, or for a part of them.
func Bytes() Stored {
	return Stored{
		Binary: true, Sends: []string{"range", "if-range"},
		Tells: []string{"content-range", "accept-ranges", "content-disposition", "etag", "last-modified"},
	}
}
