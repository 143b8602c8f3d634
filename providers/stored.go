package providers

import "time"

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
	ObjectSkill         ObjectKind = "skill"
	ObjectItem          ObjectKind = "item" // of a response or a conversation
)

// Stored says what an endpoint has to do with objects that a provider keeps. An endpoint that has
// no Ask besides is about these alone: it names no model, and goes to the account that keeps them.
type Stored struct {
	// Path follows the route's path, with the endpoint's variables in it ("/{file}/content"). One
	// that begins with "//" stands in its place.
	Path string
	// Names are the variables of the path that name objects of the caller's. What the others name
	// is a part of those, which the upstream finds only in them.
	Names []string
	// Prefix is what the objects' ids begin with beside what their paths say ("files/").
	Prefix string
	// Makes are the objects that a good reply tells the client of.
	Makes []Made
	// Marks are texts of which an event of a stream that tells of objects has one; the first event
	// is always looked at.
	Marks []string
	// Links are the members of a reply that are addresses at the provider.
	Links []Link
	// Deletes is set where the object that Names begins with is gone after a good reply.
	Deletes bool
	// Lists is the kind of objects that the call lists, page by page as Paging says.
	Lists  ObjectKind
	Paging *Paging
	// Batch says how the provider's batches are read; nil where the call is not about them.
	Batch *Batch
	// Costs is set where the provider bills for what the call begins, and says nowhere how much:
	// a budget cannot hold that.
	Costs bool
	// Binary is set where a good reply is the object's own bytes, none perhaps.
	Binary bool
	// Held says how the call is answered where the gateway itself keeps the object; nil where it
	// keeps none of the kind.
	Held *Held
	// Streams is set where the object can be read as a stream (?stream=true).
	Streams bool
	// Raw is set where the client's body is bytes, which go by as they come.
	Raw bool
	// Model is the field of the body that names a model of the provider's; "" is none.
	Model string
	// Wants are headers that the call must have, with their values.
	Wants [][2]string
	// Hands is the address that a good reply gives the client to go on at; nil none.
	Hands *Handed
	// Sends and Tells are headers, in lower case, that the call has beside its body: of the client's
	// request, and of a good reply.
	Sends, Tells []string
}

// A Batch says how batches are read: calls of models that the provider works off by itself.
type Batch struct {
	// Input is the field of the body that names the file of calls, one a line, or has them itself,
	// in an array, where Inline is set.
	Input  string
	Inline bool
	// Show and Content are the paths of a batch and of a file's bytes, with "{id}" in them.
	Show, Content string
	// Call reads one call: the path that it is for, and its body.
	Call func(line []byte) (path string, body []byte, err error)
	// State says whether a batch, as it is shown, has ended, and names the files of its results.
	State func(batch []byte) (ended bool, results []string)
	// Result gives the reply to the call of one line of results, nil where it was not served.
	Result func(line []byte) (reply []byte)
	// Spoken gives the language of a reply; nil where all are of the batch's own.
	Spoken func(reply []byte) string
}

// Made is an object, or several, that a reply tells of.
type Made struct {
	ID   string // where the ids stand in the reply, as gjson has it
	Kind ObjectKind
	// Parent leads to the id of the object that it goes away with: a variable of the path
	// ("{conversation}"), or a place in the reply; "" is none.
	Parent string
	// Bytes and Expires are where its size and its end (Unix seconds, or RFC 3339) stand, "" nowhere.
	Bytes, Expires string
	// Owed is set where its cost shows only when it has ended.
	Owed bool
	// Events are where what ID and the others speak of stands in the events of a stream.
	Events []string
	// Unless is the field of the request that, being false, has nothing kept; "" is none.
	Unless string
}

// A Link is an address at the provider that a reply tells. The client is given the gateway's own:
// the Path of an endpoint, whose "{id}" is the reply's id.
type Link struct{ Field, Path string }

// Handed is an address at the provider in the header of a reply. The client is given the
// gateway's own, Path, whose "{id}" is the parameter ID of the provider's: an object of the
// caller's, for as long as For.
type Handed struct {
	Header, ID, Path string
	Kind             ObjectKind
	For              time.Duration
}

// Paging says how a list is read page by page.
type Paging struct {
	// Limit and Order are names in the URL's query, of the page's size and of the direction ("asc",
	// "desc"); After are those of the id that the page comes behind, Refused those that cannot be served.
	Limit, Order   string
	After, Refused []string
	Usual, Most    int // objects on a page
	// Filters are names in the query, each with the member of an object that it is to be equal to.
	Filters [][2]string
	Write   func(dst []byte, p *ObjectPage) []byte
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
