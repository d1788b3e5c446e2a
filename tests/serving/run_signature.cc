// Runs a signature as TensorFlow Serving does: its loader, a session, XLA off.
//   run_signature FOLDER SIGNATURE INPUT OUTPUT < TensorProto > TensorProto
#include <iostream>
#include <iterator>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/compiler/jit/flags.h"

int main(int argc, char** argv) {
  tensorflow::DisableXlaCompilation();
  tensorflow::SavedModelBundle bundle;
  auto status = tensorflow::LoadSavedModel({}, {}, argv[1],
                                           {"serve"}, &bundle);
  if (status.ok()) {
    const auto& signature = bundle.GetSignatures().at(argv[2]);
    std::string text(std::istreambuf_iterator<char>(std::cin), {});
    tensorflow::TensorProto proto;
    tensorflow::Tensor input;
    if (!proto.ParseFromString(text) || !input.FromProto(proto)) return 2;
    std::vector<tensorflow::Tensor> outputs;
    status = bundle.session->Run({{signature.inputs().at(argv[3]).name(), input}},
                                 {signature.outputs().at(argv[4]).name()}, {}, &outputs);
    if (status.ok()) {
      outputs[0].AsProtoField(&proto);
      std::cout << proto.SerializeAsString();
    }
  }
  if (!status.ok()) std::cerr << status.ToString() << std::endl;
  return status.ok() ? 0 : 1;
}
