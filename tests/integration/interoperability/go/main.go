// Writes and reads values with Confluent's Go serializers, a request a line: see ../polyglot.py.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/avrov2"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/protobuf"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const longestLine = 16 << 20

type request struct {
	Do      string
	Format  string
	How     string
	Header  bool
	URL     string
	Topic   string
	Message string
	Value   []byte
	Headers map[string][]byte
}

type answer struct {
	Value   []byte            `json:"value,omitempty"`
	Headers map[string][]byte `json:"headers,omitempty"`
	Error   string            `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	lines.Scan()
	files, err := filesFrom(lines.Text())
	if err != nil {
		log.Fatal(err)
	}
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := answers.Encode(respond(lines.Bytes(), files)); err != nil {
			log.Fatal(err)
		}
	}
}

func filesFrom(line string) (*protoregistry.Files, error) {
	data, err := base64.StdEncoding.DecodeString(line)
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(data, set); err != nil {
		return nil, err
	}
	return protodesc.NewFiles(set)
}

func respond(line []byte, files *protoregistry.Files) (result answer) {
	defer func() {
		if trouble := recover(); trouble != nil {
			result = answer{Error: fmt.Sprint(trouble)}
		}
	}()
	var asked request
	err := json.Unmarshal(line, &asked)
	if err == nil {
		result, err = carryOut(asked, files)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return result
}

func carryOut(asked request, files *protoregistry.Files) (answer, error) {
	client, err := schemaregistry.NewClient(schemaregistry.NewConfig(asked.URL))
	if err != nil {
		return answer{}, err
	}
	switch asked.Do + " " + asked.Format {
	case "write protobuf":
		return writeProtobuf(asked, client, files)
	case "read protobuf":
		return readProtobuf(asked, client, files)
	case "write avro":
		return writeAvro(asked, client)
	case "read avro":
		return readAvro(asked, client)
	}
	return answer{}, fmt.Errorf("cannot %s %s", asked.Do, asked.Format)
}

func writeProtobuf(asked request, client schemaregistry.Client, files *protoregistry.Files) (answer, error) {
	kind, err := messageType(asked.Message, files)
	if err != nil {
		return answer{}, err
	}
	message := kind.New().Interface()
	if err := proto.Unmarshal(asked.Value, message); err != nil {
		return answer{}, err
	}
	config := protobuf.NewSerializerConfig()
	config.AutoRegisterSchemas = asked.How == "register"
	config.UseLatestVersion = asked.How == "latest"
	serializer, err := protobuf.NewSerializer(client, serde.ValueSerde, config)
	if err != nil {
		return answer{}, err
	}
	if asked.Header {
		serializer.SchemaIDSerializer = serde.HeaderSchemaIDSerializer
	}
	headers, value, err := serializer.SerializeWithHeaders(asked.Topic, message)
	return answer{Value: value, Headers: byName(headers)}, err
}

func readProtobuf(asked request, client schemaregistry.Client, files *protoregistry.Files) (answer, error) {
	kind, err := messageType(asked.Message, files)
	if err != nil {
		return answer{}, err
	}
	deserializer, err := protobuf.NewDeserializer(client, serde.ValueSerde, protobuf.NewDeserializerConfig())
	if err != nil {
		return answer{}, err
	}
	if err := deserializer.ProtoRegistry.RegisterMessage(kind); err != nil {
		return answer{}, err
	}
	message, err := deserializer.DeserializeWithHeaders(asked.Topic, listed(asked.Headers), asked.Value)
	if err != nil {
		return answer{}, err
	}
	value, err := proto.Marshal(message.(proto.Message))
	return answer{Value: value}, err
}

func writeAvro(asked request, client schemaregistry.Client) (answer, error) {
	var record map[string]any
	if err := json.Unmarshal(asked.Value, &record); err != nil {
		return answer{}, err
	}
	config := avrov2.NewSerializerConfig()
	config.AutoRegisterSchemas = false
	config.UseLatestVersion = true
	serializer, err := avrov2.NewSerializer(client, serde.ValueSerde, config)
	if err != nil {
		return answer{}, err
	}
	value, err := serializer.Serialize(asked.Topic, &record)
	return answer{Value: value}, err
}

func readAvro(asked request, client schemaregistry.Client) (answer, error) {
	deserializer, err := avrov2.NewDeserializer(client, serde.ValueSerde, avrov2.NewDeserializerConfig())
	if err != nil {
		return answer{}, err
	}
	var record map[string]any
	if err := deserializer.DeserializeInto(asked.Topic, asked.Value, &record); err != nil {
		return answer{}, err
	}
	value, err := json.Marshal(record)
	return answer{Value: value}, err
}

func messageType(name string, files *protoregistry.Files) (protoreflect.MessageType, error) {
	found, err := files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}
	return dynamicpb.NewMessageType(found.(protoreflect.MessageDescriptor)), nil
}

func byName(headers []kafka.Header) map[string][]byte {
	named := map[string][]byte{}
	for _, header := range headers {
		named[header.Key] = header.Value
	}
	return named
}

func listed(named map[string][]byte) []kafka.Header {
	var headers []kafka.Header
	for name, value := range named {
		headers = append(headers, kafka.Header{Key: name, Value: value})
	}
	return headers
}
