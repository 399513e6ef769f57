// Writes and reads values with Confluent's Node.js serializers, a request a line: see ../polyglot.py.
"use strict";

const { createInterface } = require("node:readline");
const { createFileRegistry, createMutableRegistry, fromBinary, toBinary } = require("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = require("@bufbuild/protobuf/wkt");
const {
  AvroDeserializer, AvroSerializer, HeaderSchemaIdSerializer, ProtobufDeserializer, ProtobufSerializer,
  SchemaRegistryClient, SerdeType,
} = require("@confluentinc/schemaregistry");

const decode = (text) => Buffer.from(text, "base64");
const encode = (bytes) => Buffer.from(bytes).toString("base64");

function serializerConfig(request, files) {
  return {
    autoRegisterSchemas: request.how === "register",
    useLatestVersion: request.how === "latest",
    registry: createMutableRegistry(...files),
    ...(request.header ? { schemaIdSerializer: HeaderSchemaIdSerializer } : {}),
  };
}

async function write(request, client, files) {
  const config = serializerConfig(request, files);
  const headers = {};
  let value;
  if (request.format === "avro") {
    const serializer = new AvroSerializer(client, SerdeType.VALUE, config);
    value = await serializer.serialize(request.topic, JSON.parse(decode(request.value)), headers);
  } else {
    const message = fromBinary(files.getMessage(request.message), decode(request.value));
    value = await new ProtobufSerializer(client, SerdeType.VALUE, config).serialize(request.topic, message, headers);
  }
  const named = Object.entries(headers).map(([name, header]) => [name, encode(header)]);
  return { value: encode(value), headers: Object.fromEntries(named) };
}

async function read(request, client, files) {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, text]) => [name, decode(text)]));
  if (request.format === "avro") {
    const deserializer = new AvroDeserializer(client, SerdeType.VALUE, {});
    const value = await deserializer.deserialize(request.topic, decode(request.value), headers);
    return { value: encode(JSON.stringify(value)) };
  }
  const deserializer = new ProtobufDeserializer(client, SerdeType.VALUE, {});
  const message = await deserializer.deserialize(request.topic, decode(request.value), headers);
  return { value: encode(toBinary(files.getMessage(message.$typeName), message)) };
}

async function main() {
  let files;
  for await (const line of createInterface({ input: process.stdin })) {
    if (!files) {
      files = createFileRegistry(fromBinary(FileDescriptorSetSchema, decode(line)));
      continue;
    }
    const request = JSON.parse(line);
    const client = new SchemaRegistryClient({ baseURLs: [request.url] });
    const answer = await (request.do === "write" ? write : read)(request, client, files).catch((error) => ({
      error: String(error),
    }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

main();
